"""The yearly re-check: who is reminded of which files, from which day on, and until when."""

from datetime import date

import pytest
from sqlalchemy import select, text

from core.api import SYSTEM, JobContext, Org, ProgramYear, Refused, db
from core.programs.services import enable
from core.tasks.models import Task
from core.users.testing import AsUser
from plugins.hardship_aid.categories import jobs, rule
from plugins.hardship_aid.categories.recheck import remind
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.households import MakeFile
from plugins.hardship_aid.tests.households import make_file as make_file

pytestmark = pytest.mark.services
TODAY = date(2025, 3, 10)


@pytest.fixture(autouse=True)
def on_a_known_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rule, "today", lambda: TODAY)


def waiting() -> list[str]:
    """The paths of the unions for which a re-check waits."""
    query = select(Task.org_path).where(Task.kind == "hardship_aid.recheck", Task.done_at.is_(None))
    return sorted(db.session.scalars(query))


@pytest.mark.parametrize(
    ("columns", "is_due"),
    [
        ({"applied_on": date(2024, 3, 10)}, False),
        ({"applied_on": date(2024, 3, 9)}, True),
        ({"applied_on": date(2014, 1, 6), "checked_on": date(2024, 3, 10)}, False),
        ({"applied_on": date(2014, 1, 6), "checked_on": date(2024, 3, 9)}, True),
        # Not what is not on file, or being checked again just now.
        ({"applied_on": date(2014, 1, 6), "state": "recheck"}, False),
        ({"applied_on": date(2014, 1, 6), "state": "draft"}, False),
        ({"applied_on": date(2014, 1, 6), "state": "out"}, False),
    ],
)
def test_a_file_is_due_when_a_year_is_over(
    program_year: ProgramYear, make_file: MakeFile, columns: dict[str, object], is_due: bool
) -> None:
    make_file(**columns)
    assert remind(SYSTEM, program_year) == (int(is_due), 0)
    assert waiting() == (["/61/6101/610102/"] if is_due else [])


@pytest.mark.parametrize(("day", "is_due"), [(date(2025, 2, 10), False), (date(2025, 2, 9), True)])
def test_the_months_are_those_of_the_year(
    program_year: ProgramYear, make_file: MakeFile, day: date, is_due: bool
) -> None:
    program_year.settings = program_year.settings | {"recheck_months": 1}
    make_file(checked_on=day)
    assert bool(remind(SYSTEM, program_year)[0]) is is_due


def test_from_the_end_of_february_a_year_is_over_in_march(
    program_year: ProgramYear, make_file: MakeFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_file(checked_on=date(2024, 2, 29))
    for day, count in ((date(2025, 2, 28), 0), (date(2025, 3, 1), 1)):
        monkeypatch.setattr(rule, "today", lambda day=day: day)
        assert remind(SYSTEM, program_year)[0] == count


def test_each_union_has_one_task_until_none_is_left(program_year: ProgramYear, make_file: MakeFile) -> None:
    first, second = make_file(), make_file()
    make_file("610202")
    make_file("610103", checked_on=TODAY)
    make_file("610103", sponsor="6101")
    assert remind(SYSTEM, program_year) == (2, 0)
    assert remind(SYSTEM, program_year) == (0, 0)
    assert waiting() == ["/61/6101/610102/", "/61/6102/610202/"]
    first.checked_on = TODAY
    db.session.commit()
    assert remind(SYSTEM, program_year) == (0, 0)
    second.state = "out"
    db.session.commit()
    assert remind(SYSTEM, program_year) == (0, 1)
    assert waiting() == ["/61/6102/610202/"]
    first.checked_on = date(2024, 3, 9)
    db.session.commit()
    assert remind(SYSTEM, program_year) == (1, 0)  # again, a year later


def test_it_waits_for_the_clerk_of_the_union_and_leads_to_the_files(
    program_year: ProgramYear, make_file: MakeFile, as_user: AsUser
) -> None:
    make_file(name="王要复核")
    make_file(name="李刚查过", checked_on=TODAY)
    context = JobContext(job_id=1, attempt=1, program_year_id=program_year.id, user_id=None, engine=db.engine)
    assert jobs.RECHECK.schedule
    for _night in range(2):
        jobs.remind(context)
    assert len(waiting()) == 1
    clerk = as_user("clerk", "610102")
    page = clerk.get("/tasks/").text
    assert "Check files of workers in hardship again" in page
    assert f"{PAGES}/categories?show=stale" in page
    listed = clerk.get(f"{PAGES}/categories?show=stale").text
    assert "王要复核" in listed
    assert "李刚查过" not in listed
    for role, code in (("clerk", "610103"), ("reviewer", "610102")):
        assert "Check files of workers" not in as_user(role, code).get("/tasks/").text


def test_each_year_that_is_open_reminds_by_its_own_months(
    program_year: ProgramYear, small_tree: dict[str, Org], make_file: MakeFile
) -> None:
    settings = program_year.settings | {"recheck_months": 60}
    later = enable(SYSTEM, "hardship_aid", 2015, small_tree["61"], opens_on=date(2014, 1, 1), settings=settings)
    make_file(checked_on=date(2023, 1, 1))
    assert remind(SYSTEM, program_year) == (1, 0)
    assert remind(SYSTEM, later) == (0, 0)
    assert len(waiting()) == 1


def test_a_year_that_is_over_reminds_nobody(program_year: ProgramYear, make_file: MakeFile) -> None:
    make_file()
    program_year.closes_on = date(2014, 12, 31)
    db.session.commit()
    with pytest.raises(Refused, match="not open"):
        remind(SYSTEM, program_year)
    assert waiting() == []
    assert db.session.scalar(text("SELECT count(*) FROM core_task")) == 0
