"""Members of reading clubs in 2014: files for their register, and what becomes of them."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import xlsxwriter

from core.extensions import db
from core.imports import services
from core.imports.models import Import, ImportRow
from core.programs.models import ProgramYear
from core.users.models import User
from core.users.testing import MakeUser
from tests.plugins_for_tests.reading_club.registers import MEMBERS
from tests.registers.conftest import Chess as Chess
from tests.registers.conftest import clubs as clubs
from tests.registers.conftest import english as english
from tests.registers.conftest import id_number
from tests.registers.conftest import make_person as make_person
from tests.registers.conftest import plugins as plugins

HEADINGS = ("身份证号", "姓名", "工会代码", "手机", "银行卡号", "开户行", "Kind", "Note", "Books", "Fee", "Joined",
            "Left", "Active")  # fmt: skip
URL = "/2014/61/reading_club/registers/members/imports"
RunJobs = Callable[[], int]
Upload = Callable[..., Import]


def good_row(serial: int, **changes: object) -> list[object]:
    """A row that is right, except for ``changes``."""
    values: dict[str, object] = {
        "id_number": id_number(serial),
        "name": f"李{'娜静霞梅燕'[serial % 5]}",
        "org_code": "610102001",
        "phone": "13800000000",
        "bank_account": f"62220200000{serial:05d}",
        "bank_name": "中国建设银行",
        "kind": "Guest",
        "note": "n",
        "books": "3",
        "fee_fen": "12.5",
        "joined_on": "2014-01-05",
        "left_on": "",
        "active": "是",
    }
    return list((values | changes).values())


def xlsx(rows: Sequence[Sequence[object]], headings: Sequence[object] = HEADINGS) -> bytes:
    """A sheet with these headings and rows."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        page = book.add_worksheet()
        for line, row in enumerate([headings, *rows]):
            page.write_row(line, 0, row)
    return target.getvalue()


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


@pytest.fixture
def upload(clerk: User, clubs: ProgramYear) -> Upload:
    """``upload(content, name="list.xlsx", user=clerk, register=MEMBERS)`` as the page does it."""

    def do(content: bytes, name: str = "list.xlsx", user: User = clerk, register: Any = MEMBERS) -> Import:
        return services.upload(user, register, clubs, io.BytesIO(content), name)

    return do


def errors_of(one: Import) -> dict[int, list[str]]:
    """Line -> its sentences."""
    db.session.expire_all()
    rows = db.session.query(ImportRow).filter_by(import_id=one.id).order_by(ImportRow.line)
    return {row.line: row.errors for row in rows if row.errors}


def merge(one: Import, clerk: User, clubs: ProgramYear, run_jobs: RunJobs, *, only_good: bool = False) -> Import:
    """Ask for the merge and let it run."""
    services.start_merge(clerk, one, MEMBERS, clubs, only_good=only_good)
    run_jobs()
    db.session.refresh(one)
    return one
