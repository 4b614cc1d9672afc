"""Reading clubs of 2014 with their two registers, and a few fictional people on file."""

import re
from collections.abc import Callable
from datetime import date
from html import unescape

import pytest
from stdnum.cn.ric import calc_check_digit
from werkzeug.test import TestResponse

from core.api import Program, hookimpl
from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.services import PersonRow, register_people
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.testing import Browser
from tests.plugins_for_tests.reading_club import plugin as reading_club

MakePerson = Callable[..., Person]


def id_number(serial: int) -> str:
    """A valid identity number of a fictional woman born in 1985, one for each serial number below 500."""
    body = f"61010219850505{serial * 2:03d}"
    return body + calc_check_digit(body + "0")


class Chess:
    """Another program, with nothing of its own."""

    @hookimpl
    def programs(self) -> list[Program]:
        """Chess."""
        return [Program(code="chess", title="Chess", title_zh="象棋", title_en="Chess")]


@pytest.fixture(autouse=True)
def english(english: None) -> None:
    """Every test here reads English."""


@pytest.fixture
def plugins() -> dict[str, object]:
    """The reading clubs, and chess."""
    return {"reading_club": reading_club, "chess": Chess()}


def switch_on(sponsor: Org, year: int = 2014) -> ProgramYear:
    """Reading clubs of a year, open."""
    return enable(SYSTEM, "reading_club", year, sponsor, opens_on=date(2014, 1, 1), settings={"grant": 100})


@pytest.fixture
def clubs(small_tree: dict[str, Org]) -> ProgramYear:
    """Reading clubs of 2014, run by the province, open."""
    return switch_on(small_tree["61"])


@pytest.fixture
def make_person(small_tree: dict[str, Org]) -> MakePerson:
    """``make_person(serial, org_code="610102001", name="王芳")`` takes somebody on file."""

    def make(serial: int, org_code: str = "610102001", name: str = "王芳") -> Person:
        row = PersonRow(org_code=org_code, name=name, id_number=id_number(serial))
        register_people(SYSTEM, [row], Scope(("/",)))
        return db.session.query(Person).filter_by(id_number_tail=id_number(serial)[-4:]).one()

    return make


URL = "/2014/61/reading_club/registers/"
CORNER = {
    "org_code": "610102",
    "name": "职工书屋",
    "kind": "library",
    "volumes": "1200",
    "cost_fen": "1.5万元",
    "opened_on": "2014-03-05",
}
#: The same, as a service takes it.
PLAIN = CORNER | {"volumes": 1200, "cost_fen": 15_000_00, "opened_on": date(2014, 3, 5)}


def add_corner(browser: Browser, **changes: str) -> int:
    return browser.post(URL + "corners/add", data=CORNER | changes).status_code


def add_reader(browser: Browser, serial: int, url: str = URL) -> int:
    data = {"id_number": id_number(serial), "likes": "诗"}
    return browser.post(url + "readers/add", data=data).status_code


def save(browser: Browser, entry: str, data: dict[str, str]) -> TestResponse:
    """Open the form of an entry (``corners/7``) and send it with these values."""
    form = browser.get(f"{URL}{entry}/change").text
    seen = re.search('name="seen" value="([^"]*)"', form)
    return browser.post(f"{URL}{entry}/change", data=data | ({"seen": unescape(seen[1])} if seen else {}))


def actions() -> list[tuple[str, str, dict[str, object]]]:
    lines = db.session.query(AuditLine).filter(AuditLine.action.startswith("register.")).order_by(AuditLine.id)
    return [(line.action, line.org_path, line.data) for line in lines]
