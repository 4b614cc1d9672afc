"""A register of people and one of unions, to post notices of, and the day on the wall in the test's hand."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from core.extensions import db
from core.notices.models import Notice, NoticeLine
from core.programs.models import ProgramYear
from core.users.testing import AsUser, Browser
from tests.plugins_for_tests.reading_club.registers import Corner, Reader
from tests.registers.conftest import (
    URL,
    MakePerson,
    add_corner,
    add_reader,
    clubs,
    english,
    id_number,
    make_person,
    plugins,
)

__all__ = ["URL", "MakePerson", "clubs", "english", "id_number", "make_person", "plugins"]

NOTICES = URL + "readers/notices/"
#: A Friday.
POSTED = date(2026, 9, 4)
SetDay = Callable[[date], None]
FORM = {"title": "关于读者名单的公示", "text": "经研究，现予公示。", "contact": "生产保障部 029-87654321"}


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> SetDay:
    """``wall(day)`` sets the day that notices read on the wall; :data:`POSTED` until then."""

    def is_now(day: date) -> None:
        for module in ("services", "queries", "views", "objection_views", "frame", "hooks"):
            monkeypatch.setattr(f"core.notices.{module}.today", lambda: day)

    is_now(POSTED)
    return is_now


@pytest.fixture
def readers(clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, wall: SetDay) -> list[Reader]:
    """Three readers: of a township in 西安, of the city itself, of 铜川."""
    clerk = as_user("clerk")
    for serial, org, name in ((1, "610102001", "王芳"), (2, "6101", "欧阳明轩"), (3, "6102", "李雷")):
        make_person(serial, org, name)
        assert add_reader(clerk, serial) == 302
    return list(db.session.query(Reader).order_by(Reader.id))


@pytest.fixture
def corners(clubs: ProgramYear, as_user: AsUser, wall: SetDay) -> list[Corner]:
    """Two reading corners of one county."""
    clerk = as_user("clerk")
    assert (add_corner(clerk), add_corner(clerk, name="二号书屋", kind="corner", cost_fen="")) == (302, 302)
    return list(db.session.query(Corner).order_by(Corner.id))


def post_notice(browser: Browser, rows: list[int], page: str = NOTICES, **changes: Any) -> tuple[int, str]:
    """Post a notice of these rows for five working days; the status and the page."""
    values = FORM | {"working_days": 5, "org_code": "61", "expected": len(rows), "row": rows} | changes
    response = browser.post(f"{page}post", data=values)
    return response.status_code, response.text


def only_notice() -> Notice:
    """The notice that was posted."""
    return db.session.query(Notice).populate_existing().one()


def line_of(row_id: int) -> NoticeLine:
    """The newest line of an entry."""
    lines = db.session.query(NoticeLine).populate_existing().filter_by(row_id=row_id)
    return lines.order_by(NoticeLine.id.desc()).limit(1).one()


def line_url(row_id: int) -> str:
    """The page of the newest line of a reader."""
    line = line_of(row_id)
    return f"{NOTICES}{line.notice_id}/lines/{line.id}/"


def object_to(browser: Browser, row_id: int, **changes: str) -> int:
    """Record an objection; the status."""
    values = {"text": "并非本单位职工", "raised_by": "张某", "contact": "", "received_on": POSTED.isoformat()} | changes
    return browser.post(line_url(row_id), data=values).status_code


def unmasked(text: str) -> list[str]:
    """Every run of eleven digits or more: what no page of a notice may hold. Versions of static files are none."""
    return re.findall(r"[0-9]{11,}[0-9X]?", re.sub(r"\?v=\w+", "", text))
