"""A public notice of a hundred thousand lines: posting it, its first page, and the last part as it is printed.

No floor: seconds. The page and the print are asked as a browser asks them, in one process.
"""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, literal, select, text

from bench.harness import Bench, Work, empty
from bench.imports import prepared
from bench.people import SEED
from core.extensions import db
from core.notices import services
from core.notices.models import Notice
from core.notices.queries import PART
from core.notices.services import Draft
from core.org.models import Org
from core.people.making import make_people
from core.people.models import Person
from core.plugin.registry import registry_of
from core.plugin.tables import owner_engine
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.users.models import User
from core.users.passwords import hash_password
from core.users.testing import PASSWORD, Browser

LINES = 100_000
URL = "/2014/61/winter_warmth/registers/hardship/notices/"
Ask = Callable[[], object]


def _hardship() -> Register:
    return registry_of().registers["four_seasons.hardship"]


def _listed(app: Flask) -> tuple[FlaskClient, Ask]:
    """A browser of a clerk of the province, and posting a notice of everybody on the list; made once for all."""
    app.test_client_class = Browser
    model = _hardship().model
    if db.session.scalar(select(model.id).limit(1)) is None:
        user, year, province = prepared()
        make_people(user, LINES, SEED, province)
        user.password_hash = hash_password(PASSWORD)
        rows = select(literal(year.id), Person.id, Person.org_id, Person.org_path, literal("deep"), literal("本人重病"))
        names = ["program_year_id", "person_id", "org_id", "org_path", "category", "cause"]
        db.session.execute(insert(model).from_select(names, rows))
        db.session.commit()
        with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
    browser = app.test_client()
    browser.post("/login", data={"username": "bench", "password": PASSWORD})
    return browser, _post


def _post() -> None:
    user, year = db.session.scalars(select(User)).one(), db.session.scalars(select(ProgramYear)).one()
    draft = Draft(
        org=db.session.get_one(Org, year.org_id), title="关于困难职工名单的公示", text="现予公示。",
        contact="029-87654321", working_days=5, columns=["category", "cause"], expected=LINES,
    )  # fmt: skip
    services.post(user, _hardship(), year, select(_hardship().model.id), draft)


def _without_notices() -> None:
    db.session.rollback()  # else emptying the tables would wait for what has been read
    empty("core_notice")


def _posting(app: Flask) -> Work:
    _browser, post = _listed(app)
    return Work(run=post, reset=_without_notices)


def _reading(page: str) -> Callable[[Flask], Work]:
    def prepare(app: Flask) -> Work:
        browser, post = _listed(app)
        if db.session.scalar(select(func.max(Notice.id))) is None:
            post()
        url = f"{URL}{db.session.scalar(select(func.max(Notice.id)))}{page}"

        def read() -> None:
            answer = browser.get(url)
            if answer.status_code != 200 or "<tbody>" not in answer.text:
                raise AssertionError(f"{url} answers {answer.status_code}, or has no lines")

        read()
        return Work(run=read)

    return prepare


BENCHES = [
    Bench("notices.page", n=LINES, aim=0.2, prepare=_reading(""), share="notices"),
    Bench("notices.post", n=LINES, aim=20, prepare=_posting, share="notices"),
    Bench("notices.print", n=LINES, aim=1, prepare=_reading(f"/print?part={LINES // PART}"), share="notices"),
]
