"""The report of files by category."""

import pytest

from core.api import ProgramYear, ReportContext, Scope, db
from core.users.testing import AsUser
from plugins.hardship_aid.categories.reports import CATEGORIES
from plugins.hardship_aid.categories.rule import CLOSED, ON_FILE
from plugins.hardship_aid.files.flow import STATES
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file

pytestmark = pytest.mark.services
DONE = {"computed_year": 2014, "line_fen": 1}


def test_files_are_counted_by_what_was_decided_else_computed(program_year: ProgramYear, make_file: MakeFile) -> None:
    make_file()
    make_file(computed="deep", **DONE)
    make_file(computed="deep", **DONE)
    make_file(computed="deep", decided="relative", decided_because="因故", **DONE)
    make_file("610202", computed="deep", worker="retired", cause="disaster", state="draft", **DONE)
    make_file("610102", sponsor="6101", computed="deep", **DONE)

    def rows(path: str) -> set[tuple[object, ...]]:
        return set(
            db.session.execute(CATEGORIES.select(ReportContext(program_year=program_year, scope=Scope((path,))))).all()
        )

    county = {
        ("/61/6101/610102/", "unknown", "employed", "illness", "on_file", 1),
        ("/61/6101/610102/", "deep", "employed", "illness", "on_file", 2),
        ("/61/6101/610102/", "relative", "employed", "illness", "on_file", 1),
    }
    assert rows("/61/6101/") == county
    assert rows("/61/") == county | {("/61/6102/610202/", "deep", "retired", "disaster", "draft", 1)}
    assert rows("/61/6111/") == set()


def test_the_report_has_a_page(program_year: ProgramYear, make_file: MakeFile, as_user: AsUser) -> None:
    make_file(computed="deep", **DONE)
    page = as_user("leader", "6101").get(f"{PAGES}/reports/categories?by=category")
    assert page.status_code == 200
    assert "Deep hardship" in page.text


def test_every_state_that_counts_has_a_name() -> None:
    assert {*CLOSED, ON_FILE} <= STATES.keys()
