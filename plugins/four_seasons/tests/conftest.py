"""A campaign of 2014 with a small list, for the tests of this plugin."""

import io
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from stdnum.cn.ric import calc_check_digit

from core.api import (
    SYSTEM,
    Org,
    Person,
    PersonRow,
    ProgramYear,
    Run,
    Scope,
    User,
    by_code,
    db,
    fund_from_own,
    register_people,
)
from core.disbursements.services import create_run, start_computing
from core.imports import services as imports
from core.imports.models import Import
from core.programs.services import enable
from core.users.testing import MakeUser
from plugins.four_seasons.winter.registers import HARDSHIP

SETTINGS: dict[str, Any] = {
    "rule": "pool",
    "pool": 1_000_00,
    "province_allotment": 100_00,
    "notice_working_days": 0,
}
MakePeople = Callable[..., list[Person]]


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are compared in English, whatever a reader chose and whether or not the catalogue has been compiled."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")


def id_number(serial: int) -> str:
    """A valid identity number of a fictional woman born in 1980, one for each serial number below 500."""
    body = f"61010219800101{serial * 2:03d}"
    return body + calc_check_digit(body + "0")


@pytest.fixture
def program_year(app: Flask, small_tree: dict[str, Org]) -> ProgramYear:
    """The campaign of 2014, run by the province: a pool of 1,000 yuan, 100 of it from the province."""
    return make_year(small_tree["61"])


def make_year(sponsor: Org, **settings: Any) -> ProgramYear:
    """Switch the campaign of 2014 on; ``settings`` come over :data:`SETTINGS`."""
    return enable(SYSTEM, "winter_warmth", 2014, sponsor, opens_on=date(2014, 1, 1), settings=SETTINGS | settings)


def computed_run(
    clerk: User,
    program_year: ProgramYear,
    run_jobs: Callable[[], int],
    org_code: str = "61",
    scheme: str = "four_seasons.winter",
) -> Run:
    """A run of the scheme in the org's subtree, computed; it may have failed."""
    org = by_code(org_code)
    assert org is not None
    run = create_run(clerk, program_year, scheme, "2014年送温暖", org)
    start_computing(clerk, run)
    run_jobs()
    db.session.refresh(run)
    return run


@pytest.fixture
def make_people(small_tree: dict[str, Org]) -> MakePeople:
    """``make_people(count, org_code="610102001", start=0, account=True)`` takes fictional people on file."""

    def make(count: int, org_code: str = "610102001", *, start: int = 0, account: bool = True) -> list[Person]:
        rows = [
            PersonRow(
                org_code=org_code,
                name=f"王{'芳秀丽娟敏'[number % 5]}",
                id_number=id_number(number),
                bank_account=f"62220200000{number:05d}" if account else None,
                bank_name="中国工商银行" if account else None,
            )
            for number in range(start, start + count)
        ]
        register_people(SYSTEM, rows, Scope(("/",)))
        numbers = [id_number(number) for number in range(start, start + count)]
        tails = [number[-4:] for number in numbers]
        found = db.session.query(Person).filter(Person.id_number_tail.in_(tails)).order_by(Person.id).all()
        return list(found)

    return make


HEADINGS = ("姓名", "身份证号", "所属工会代码", "category", "cause", "手机", "银行卡号", "开户行")


def sheet(rows: Sequence[Sequence[object]], headings: Sequence[str] = HEADINGS) -> io.BytesIO:
    """An xlsx with these headings and rows."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"strings_to_formulas": False}) as book:
        page = book.add_worksheet()
        for line, row in enumerate([headings, *rows]):
            page.write_row(line, 0, row)
    target.seek(0)
    return target


def upload(clerk: User, program_year: ProgramYear, rows: Sequence[Sequence[object]]) -> Import:
    """Upload a hardship list with these rows, as the page does it."""
    return imports.upload(clerk, HARDSHIP, program_year, sheet(rows), "list.xlsx")


def good_row(serial: int, **changes: object) -> list[object]:
    """A row of a list that is right, except for ``changes``."""
    values: dict[str, object] = {
        "name": f"李{'娜静霞梅燕'[serial % 5]}",
        "id_number": id_number(serial),
        "org_code": "610102001",
        "category": "deep",
        "cause": "重病",
        "phone": "13800000000",
        "bank_account": f"62220200000{serial:05d}",
        "bank_name": "中国建设银行",
    }
    return list((values | changes).values())


@pytest.fixture
def funded(
    program_year: ProgramYear, make_people: MakePeople, make_user: MakeUser, small_tree: dict[str, Org]
) -> ProgramYear:
    """Two workers at 西安, one at 铜川; 西安 has 1,000 yuan of union funds."""
    make_people(2)
    make_people(1, "610202", start=10)
    amounts, day = {small_tree["6101"].id: 1_000_00}, date(2014, 1, 20)
    fund_from_own(make_user("finance"), program_year, key="own", amounts=amounts, effective_on=day, description="")
    return program_year


@pytest.fixture
def summer(app: Flask, small_tree: dict[str, Org]) -> ProgramYear:
    """Summer of 2014, run by the province: 40, 37 and 35 degrees, and posts to be visited from 35."""
    settings = {"stop_at": 40, "limit_at": 37, "high_at": 35, "visit_from": 35}
    return enable(SYSTEM, "summer_coolness", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings=settings)


@pytest.fixture
def with_money(summer: ProgramYear, make_user: MakeUser, small_tree: dict[str, Org]) -> ProgramYear:
    """The same; 西安 has 1,000 yuan of union funds."""
    amounts, day = {small_tree["6101"].id: 1_000_00}, date(2014, 6, 1)
    fund_from_own(make_user("finance"), summer, key="own", amounts=amounts, effective_on=day, description="")
    return summer
