"""What the second wall costs: pages of the list of a million people, with it against without it.

The floor asks for the same page, of the same user, with no policy on any table and no reach told to the database. The
policies come back before the next round.
"""

import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from unittest.mock import patch

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, select, text

from bench.harness import Bench, Work
from bench.lists import COUNT, Ask, get, measured, on_file
from core.audit.services import SYSTEM
from core.extensions import db
from core.org.queries import by_code
from core.plugin.tables import owner_engine
from core.users.models import User
from core.users.services import GrantRequest, create_user
from core.users.testing import PASSWORD

PAGES = {
    "first": "/people",
    "filtered": "/people?org=610102&f-gender=F&f-born_on-from=1980-01-01",
    "counted": "/people?totals=1",
}
_TABLES = text(
    "SELECT relname FROM pg_class WHERE relrowsecurity AND relnamespace = current_schema()::regnamespace ORDER BY 1"
)


@contextmanager
def no_wall() -> Iterator[None]:
    """The tables without their policies, and nobody telling the database how far they see."""
    db.session.rollback()  # what is open here would keep the tables from being altered
    with owner_engine() as engine:
        with engine.begin() as connection:
            names = connection.scalars(_TABLES).all()
            _switch(connection, names, "DISABLE")
        try:
            with patch("core.wall._send"):
                yield
        finally:
            with engine.begin() as connection:
                _switch(connection, names, "ENABLE")


def _switch(connection: Connection, names: Sequence[str], how: str) -> None:
    for name in names:
        connection.exec_driver_sql(f'ALTER TABLE "{name}" {how} ROW LEVEL SECURITY')


def _browser(app: Flask, code: str) -> FlaskClient:
    """A browser of a clerk of this union; the people are those of the lists."""
    province = on_file(app)
    if code == "61":
        return province
    org, browser = by_code(code), app.test_client()
    if org is None:
        raise LookupError(f"there is no union {code}")
    name = f"bench{code}"
    if db.session.scalar(select(User.id).where(User.username == name)) is None:
        create_user(SYSTEM, name, name, PASSWORD, org, [GrantRequest(role="clerk", org=org)], first=False)
    browser.post("/login", data={"username": name, "password": PASSWORD})
    return browser


def _prepare(code: str, url: str) -> Callable[[Flask], Work]:
    def prepare(app: Flask) -> Work:
        ask = get(_browser(app, code), url)
        asked = measured(ask, statistics.median)
        return Work(run=asked, floor=_without(asked))

    return prepare


def _without(asked: Callable[[], float]) -> Ask:
    def without() -> float:
        with no_wall():
            return asked()

    return without


BENCHES = [
    Bench(f"wall.{name}.{code}", n=COUNT, aim=1.3, prepare=_prepare(code, url), share="lists")
    for name, url in PAGES.items()
    for code in ("61", "6101")
]
