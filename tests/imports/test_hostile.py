"""Every file of ``hostile.py`` through the page: an answer that people can read, and nothing half done."""

import io

import pytest
from werkzeug.datastructures import FileStorage

from core.extensions import db
from core.imports import services
from core.imports.models import Import, ImportRow
from core.people.models import Person
from core.programs.models import ProgramYear
from core.users.testing import AsUser, Browser
from tests.imports.conftest import URL, RunJobs
from tests.imports.hostile import CASES
from tests.plugins_for_tests.reading_club.registers import Member

pytestmark = pytest.mark.services
#: Cases that go through one application, so that the database is not made anew for each.
GROUP = 40
GROUPS = [list(CASES)[start : start + GROUP] for start in range(0, len(CASES), GROUP)]


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 200


@pytest.mark.parametrize("names", GROUPS, ids=lambda names: f"{names[0]}..{names[-1]}")
def test_a_hostile_file_gets_an_answer(
    clubs: ProgramYear, as_user: AsUser, run_jobs: RunJobs, names: list[str]
) -> None:
    browser = as_user("clerk")
    outcomes = {name: deal_with(browser, name, run_jobs) for name in names}
    assert {name: said for name, said in outcomes.items() if said} == {}
    assert db.session.query(Member).count() == db.session.query(Person).count() == 0


def deal_with(browser: Browser, name: str, run_jobs: RunJobs) -> str:
    """Upload the file and look at what came of it; what is wrong with the answer, nothing if it is in order."""
    file_name, make = CASES[name]
    before = db.session.query(Import).count()
    response = browser.post(f"{URL}/", data={"file": FileStorage(io.BytesIO(make()), filename=file_name)})
    run_jobs()
    if response.status_code == 400:
        if "invalid-feedback" not in response.text:
            return "no sentence"
        return "" if db.session.query(Import).count() == before else "refused, but kept"
    if response.status_code != 302:
        return f"status {response.status_code}"
    one = db.session.query(Import).order_by(Import.id.desc()).first()
    assert one is not None
    page = browser.get(f"{URL}/{one.id}")
    if page.status_code != 200:
        return f"page {page.status_code}"
    if "<script>alert" in page.text:
        return "not escaped"
    rows = db.session.query(ImportRow).filter_by(import_id=one.id).count()
    if one.state == "staged" and rows == one.good + one.bad + one.there > 0:
        errors = browser.get(f"{URL}/{one.id}/errors.xlsx").status_code
        return "" if errors == 200 else f"errors {errors}"
    if one.state == "failed":
        return "" if one.error and not rows and not services.file_of(one.id).exists() else "failed without a word"
    return "" if one.state == "mapping" and not rows else f"{one.state} with {rows} rows"
