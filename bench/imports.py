"""Staging and checking an uploaded hardship list, against plain reading of the file and ``COPY`` of its texts.

The floor reads every cell of the same file and copies it as text into a table without a key; the import also reads each
cell as its form does, encrypts the numbers, and compares the rows with each other, the people and the unions on file.
"""

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import xlsxwriter
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import text

from bench.harness import Bench, Work, empty
from bench.people import DIVISIONS, SEED
from core.audit.services import SYSTEM
from core.bulk import copy_rows
from core.extensions import db
from core.imports import services
from core.org.models import Org
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.making import make_people, people_of
from core.plugin.registry import registry_of
from core.plugin.tables import owner_engine
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.models import User
from core.users.passwords import random_password
from core.users.services import GrantRequest, create_user

ROWS = 100_000
#: People on file already; the rows are of them and of as many others.
ON_FILE = 50_000
HEADINGS = ("姓名", "身份证号", "工会代码", "category", "cause", "手机", "银行卡号", "开户行")
CAUSES = ("本人重病", "子女上学", "意外灾害", "单亲", "残疾", "下岗")
COLUMNS = [f"c{number}" for number in range(len(HEADINGS))]


def list_of(count: int, province: Org) -> Iterator[Sequence[str]]:
    """So many rows of a hardship list, each of another worker."""
    for number, row in zip(range(count), people_of(SEED, province), strict=False):
        yield (
            row.name,
            row.id_number,
            row.org_code,
            ("deep", "relative", "accidental")[number % 3],
            CAUSES[number % len(CAUSES)],
            f"138{number:08d}",
            f"622202{number:013d}",
            "中国工商银行",
        )


def as_xlsx(rows: Iterator[Sequence[str]]) -> bytes:
    """The rows as Excel saves them."""
    target = io.BytesIO()
    with xlsxwriter.Workbook(target, {"constant_memory": False}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, HEADINGS)
        for line, row in enumerate(rows, start=1):
            page.write_row(line, 0, row)
    return target.getvalue()


def as_csv(rows: Iterator[Sequence[str]]) -> bytes:
    """The rows as Chinese Excel saves them."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(HEADINGS)
    writer.writerows(rows)
    return target.getvalue().encode("gb18030")


def _cells(content: bytes, kind: str) -> Iterator[Sequence[str]]:
    if kind == "csv":
        return iter(csv.reader(io.TextIOWrapper(io.BytesIO(content), "gb18030", newline="")))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    return (list(map(str, row)) for row in sheet.iter_rows())


def prepared() -> tuple[User, ProgramYear, Org]:
    """A year of the campaign, who uploads, and half of the people on file."""
    load_divisions(SYSTEM, DIVISIONS)
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    make_people(SYSTEM, ON_FILE, SEED, province)
    settings = {"rule": "pool", "pool": 100, "notice_working_days": 0}
    year = enable(SYSTEM, "winter_warmth", 2014, province, opens_on=date(2014, 1, 1), settings=settings)
    grants = [GrantRequest(role="clerk", org=province)]
    user = create_user(SYSTEM, "bench", "bench", random_password(), province, grants, first=False)
    with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return user, year, province


def _prepare(kind: str, write: Callable[[Iterator[Sequence[str]]], bytes]) -> Callable[[Flask], Work]:
    def prepare(app: Flask) -> Work:
        app.config["BABEL_DEFAULT_LOCALE"] = "en"
        user, year, province = prepared()
        register = registry_of().registers["four_seasons.hardship"]
        content = write(list_of(ROWS, province))
        services.LARGEST_AT_ONCE = {}  # in this process, without a worker
        db.session.execute(text(f"CREATE TABLE bench_text ({', '.join(f'{column} text' for column in COLUMNS)})"))
        db.session.commit()

        def stage() -> None:
            one = services.upload(user, register, year, io.BytesIO(content), f"list.{kind}")
            good = one.good
            db.session.rollback()  # else emptying the tables would wait for what has just been read
            if good != ROWS:
                raise AssertionError(f"{good} good rows")

        def floor() -> None:
            copy_rows("bench_text", COLUMNS, _cells(content, kind))
            db.session.commit()

        return Work(run=stage, floor=floor, reset=lambda: empty("core_import", "core_import_row", "bench_text"))

    return prepare


BENCHES = [
    Bench("imports.stage.csv", n=ROWS, aim=3, prepare=_prepare("csv", as_csv)),
    Bench("imports.stage.xlsx", n=ROWS, aim=3, prepare=_prepare("xlsx", as_xlsx)),
]
