import pytest
from flask import Flask

from core.audit.queries import PAGE, Filter, page_of_lines
from core.audit.services import SYSTEM, record
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.users.testing import AsUser

pytestmark = pytest.mark.services


@pytest.fixture
def lines(app: Flask, small_tree: dict[str, Org]) -> int:
    """More than one page of lines of the province, and one of each of two cities."""
    for number in range(PAGE + 1):
        record(SYSTEM, "run.compute", f"run:{number}", "/61/")
    record(SYSTEM, "run.approve", "run:4", "/61/6101/", comment="同意")
    record(SYSTEM, "job.retry", "job:4", "/61/6102/")
    db.session.commit()
    return PAGE + 3


def test_pages_hold_every_line_once_newest_first(lines: int) -> None:
    everything = Scope.of(["/61/"])
    first, more = page_of_lines(everything, Filter())
    second, end = page_of_lines(everything, Filter(), before=more)
    ids = [row.line.id for row in first + second]
    assert end is None
    assert len(ids) == lines
    assert ids == sorted(ids, reverse=True)


def test_a_page_that_is_just_full_has_no_next_one(lines: int) -> None:
    rows, more = page_of_lines(Scope.of(["/61/"]), Filter(action="run.compute"))
    assert len(rows) == PAGE
    assert more is not None
    _rows, more = page_of_lines(Scope.of(["/61/"]), Filter(action="run.compute"), before=rows[0].line.id)
    assert more is None


def test_filters(lines: int) -> None:
    everything = Scope.of(["/61/"])
    assert [row.line.object for row in page_of_lines(everything, Filter(subject="run:4"))[0]] == ["run:4", "run:4"]
    assert [row.line.object for row in page_of_lines(everything, Filter(subject="job:"))[0]] == ["job:4"]
    assert [row.org for row in page_of_lines(everything, Filter(action="run.approve"))[0]] == ["西安市总工会"]
    assert page_of_lines(everything, Filter(actor="nobody"))[0] == []
    assert page_of_lines(everything, Filter(action="%"))[0] == []


def test_a_city_reads_its_own_lines_only(lines: int, as_user: AsUser) -> None:
    page = as_user("auditor", "6101").get("/admin/audit/").text
    assert "同意" in page
    assert "job:4" not in page
    assert "run:5" not in page


def test_a_clerk_reads_no_audit_trail(as_user: AsUser) -> None:
    assert as_user("clerk").get("/admin/audit/").status_code == 403


def test_a_nonsense_position_shows_the_newest(lines: int, as_user: AsUser) -> None:
    assert as_user("auditor").get("/admin/audit/?before=x").status_code == 200
