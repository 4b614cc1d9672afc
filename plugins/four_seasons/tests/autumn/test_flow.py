"""The way of an application for study aid: every step, what it asks for, and who may not take it."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import update

from core.api import Forbidden, Person, ProgramYear, Refused, User, db, today
from core.notices.models import Notice
from core.registers.services import change, remove
from core.users.access import reach_of
from core.users.testing import MakeUser
from core.wall import reach_as, reach_now
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.registers import AUTUMN_APPLICATIONS, MINE_APPLICATIONS
from plugins.four_seasons.autumn.words import GIVEN_UP
from plugins.four_seasons.tests.autumn.students import (
    APPLIED,
    SETTINGS,
    Files,
    applied,
    letter,
    post_notice,
    stop,
    switch_on,
    take,
)

pytestmark = pytest.mark.services
DAY = timedelta(days=1)
MakePerson = Callable[..., Person]


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    """A clerk of the county."""
    return make_user("clerk", "610102")


@pytest.fixture
def parent(year: ProgramYear, make_person: MakePerson) -> Person:
    """A worker of the student's township, on the hardship file."""
    person = make_person("610102001")
    Files.on_file = {person.id}
    return person


@pytest.fixture
def row(year: ProgramYear, clerk: User, parent: Person, make_person: MakePerson) -> Application:
    """An application as the child of a worker on file."""
    return applied(clerk, year, make_person("610102001"), parent=parent, basis="on_file")


def test_an_application_goes_the_whole_way(
    year: ProgramYear, clerk: User, row: Application, make_user: MakeUser
) -> None:
    unit, county, city = (make_user("reviewer", code) for code in ("610102001", "610102", "6101"))
    letter(clerk, year, row)
    assert take(clerk, year, row, "submit") == "unit_review"
    assert take(unit, year, row, "pass_unit") == "county_review"
    assert row.at_level == "county"
    assert take(county, year, row, "approve") == "notice"
    post_notice(clerk, year, row, today() - 9 * DAY, today() - DAY)
    assert take(clerk, year, row, "announced") == "approval"
    with pytest.raises(Forbidden):  # has reviewed it
        take(county, year, row, "grant")
    assert take(city, year, row, "grant") == "approved"


def test_it_is_not_submitted_without_the_letter(year: ProgramYear, clerk: User, row: Application) -> None:
    with pytest.raises(Refused, match="Attach the admission letter first"):
        take(clerk, year, row, "submit")
    row.renewed = True
    db.session.commit()
    assert take(clerk, year, row, "submit") == "unit_review"


def test_it_does_not_pass_without_a_parent_but_in_mine_families(
    year: ProgramYear, clerk: User, make_user: MakeUser, make_person: MakePerson
) -> None:
    unit = make_user("reviewer", "610102001")
    row = applied(clerk, year, make_person("610102001"))
    stop(row, "unit_review")
    with pytest.raises(Refused, match="No parent is named"):
        take(unit, year, row, "pass_unit")
    mine = switch_on("mine_family_aid")
    orphan = applied(clerk, mine, make_person("610102001"), MINE_APPLICATIONS)
    with pytest.raises(Refused, match="Attach the admission letter first"):
        take(clerk, mine, orphan, "submit", register=MINE_APPLICATIONS)
    letter(clerk, mine, orphan, MINE_APPLICATIONS)
    assert take(clerk, mine, orphan, "submit", register=MINE_APPLICATIONS) == "unit_review"
    assert take(unit, mine, orphan, "pass_unit", register=MINE_APPLICATIONS) == "county_review"
    stop(orphan, "approval")
    assert take(make_user("reviewer", "610102"), mine, orphan, "grant", register=MINE_APPLICATIONS) == "approved"


@pytest.mark.parametrize(("posted", "ends"), [(9, 0), (1, -5)])
def test_the_notice_must_have_ended(year: ProgramYear, clerk: User, row: Application, posted: int, ends: int) -> None:
    stop(row, "notice")
    with pytest.raises(Refused, match="has not ended"):
        take(clerk, year, row, "announced")
    notice = post_notice(clerk, year, row, today() - posted * DAY, today() - ends * DAY)
    with pytest.raises(Refused, match="has not ended"):
        take(clerk, year, row, "announced")
    db.session.execute(
        update(Notice).where(Notice.id == notice.id).values(posted_on=today() - 9 * DAY, ends_on=today() - DAY)
    )
    db.session.commit()
    assert take(clerk, year, row, "announced") == "approval"


def test_a_notice_of_an_earlier_application_counts_for_nothing(
    year: ProgramYear, clerk: User, row: Application
) -> None:
    stop(row, "notice")
    post_notice(clerk, year, row, APPLIED - 9 * DAY, APPLIED - DAY)
    with pytest.raises(Refused, match="has not ended"):
        take(clerk, year, row, "announced")


def test_the_parent_s_file_is_valid_on_the_day_of_approval(
    year: ProgramYear, row: Application, parent: Person, make_user: MakeUser
) -> None:
    county = make_user("reviewer", "610102")
    stop(row, "approval")
    Files.on_file = set()
    with pytest.raises(Refused, match="hardship file is not valid today"):
        take(county, year, row, "grant")
    Files.on_file = {parent.id}
    assert take(county, year, row, "grant") == "approved"


def test_who_applied_without_a_file_needs_none(
    year: ProgramYear, clerk: User, make_person: MakePerson, make_user: MakeUser
) -> None:
    row = applied(clerk, year, make_person("610102001"), parent=make_person("610102001"))
    stop(row, "approval")
    assert take(make_user("reviewer", "610102"), year, row, "grant") == "approved"


def test_a_file_out_of_sight_is_left_to_the_run(
    year: ProgramYear, clerk: User, make_person: MakePerson, make_user: MakeUser
) -> None:
    """The county does not see the parent in another city, so it cannot say that the file is not valid."""
    parent = make_person("610202")
    Files.on_file = {parent.id}
    row = applied(clerk, year, make_person("610102001"), parent=parent, basis="on_file")
    Files.on_file = set()
    stop(row, "approval")
    with pytest.raises(Refused, match="hardship file is not valid today"):
        take(make_user("reviewer"), year, row, "grant")
    county, everything = make_user("reviewer", "610102"), reach_now()
    reach_as(reach_of(county))
    try:
        assert take(county, year, row, "grant") == "approved"
    finally:
        reach_as(everything)


def test_files_of_another_year_count_for_nothing(
    year: ProgramYear, row: Application, parent: Person, make_user: MakeUser
) -> None:
    """The autumn of another year has files, that of the application has none."""
    year.year = 2012
    db.session.commit()
    switch_on("autumn_study_aid", **SETTINGS)
    stop(row, "approval")
    with pytest.raises(Refused, match="hardship file is not valid today"):
        take(make_user("reviewer", "610102"), year, row, "grant")


def test_nobody_decides_about_their_own(year: ProgramYear, row: Application, clerk: User, make_user: MakeUser) -> None:
    stop(row, "unit_review")
    for user in (make_user("reviewer", "610202"), make_user("clerk", "610102")):
        with pytest.raises(Forbidden):
            take(user, year, row, "pass_unit")
    reviewer = make_user("reviewer", "610102")
    row.made_by = reviewer.id
    db.session.commit()
    with pytest.raises(Forbidden):
        take(reviewer, year, row, "pass_unit")


@pytest.mark.parametrize("state", ["unit_review", "county_review", "notice", "approval"])
def test_it_is_withdrawn_and_applied_for_again(year: ProgramYear, row: Application, clerk: User, state: str) -> None:
    stop(row, state)
    assert take(clerk, year, row, "withdraw") == "withdrawn"
    assert row.state in GIVEN_UP
    assert take(clerk, year, row, "apply_again") == "draft"


@pytest.mark.parametrize(
    ("state", "step", "to"),
    [
        ("unit_review", "return_unit", "returned"),
        ("unit_review", "refuse_unit", "refused"),
        ("county_review", "return", "returned"),
        ("county_review", "refuse", "refused"),
        ("approval", "return_last", "returned"),
        ("approval", "refuse_last", "refused"),
    ],
)
def test_reviewers_return_and_refuse_with_a_reason(
    year: ProgramYear, row: Application, make_user: MakeUser, state: str, step: str, to: str
) -> None:
    reviewer = make_user("reviewer", "610102")
    stop(row, state)
    with pytest.raises(Exception, match="Please give the reason"):
        take(reviewer, year, row, step, "")
    assert take(reviewer, year, row, step) == to


def test_without_an_objection_nothing_is_refused_after_one(
    year: ProgramYear, row: Application, make_user: MakeUser
) -> None:
    stop(row, "notice")
    with pytest.raises(Refused, match="There is no objection"):
        take(make_user("reviewer", "610102"), year, row, "refuse_objected")


def test_what_is_under_way_is_neither_changed_nor_removed(year: ProgramYear, row: Application, clerk: User) -> None:
    values: dict[str, Any] = {"school": "渭河大学"}
    stop(row, "approved")
    with pytest.raises(Refused, match="it can be changed only in"):
        change(clerk, AUTUMN_APPLICATIONS, year, row, values, {})
    stop(row, "returned")
    with pytest.raises(Refused, match="submitted once stays"):
        remove(clerk, AUTUMN_APPLICATIONS, year, row)
    assert row.applied_on == date(2014, 8, 20)
