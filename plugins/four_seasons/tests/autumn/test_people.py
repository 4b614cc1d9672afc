"""Applications when two files become one person, and when somebody is looked up or erased."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from core.api import SYSTEM, Person, ProgramYear, Refused, Scope, User, db
from core.people.merging import merge
from core.people.personal import erase, show_data
from core.users.testing import MakeUser
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.words import STATES
from plugins.four_seasons.tests.autumn.students import applied, stop

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/",))
MakePerson = Callable[..., Person]


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")


def test_the_application_goes_over_to_the_kept_file(year: ProgramYear, clerk: User, make_person: MakePerson) -> None:
    kept, dropped = make_person("610102001"), make_person("610102001")
    row = applied(clerk, year, dropped)
    stop(row, "approved")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert db.session.scalars(select(Application.person_id)).all() == [kept.id]


@pytest.mark.parametrize("state", STATES)
def test_of_two_applications_one_stays_and_none_that_counts_is_lost(
    year: ProgramYear, clerk: User, make_person: MakePerson, state: str
) -> None:
    kept, dropped = make_person("610102001"), make_person("610102001")
    first, second = applied(clerk, year, kept), applied(clerk, year, dropped)
    stop(second, state)
    if state in ("draft", "returned", "refused", "withdrawn"):
        merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
        assert db.session.scalars(select(Application.id)).all() == [first.id]
    else:
        with pytest.raises(Refused, match="Both apply for study aid in the same year"):
            merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
        assert len(db.session.scalars(select(Application.id)).all()) == 2


def test_a_parent_is_the_one_person(year: ProgramYear, clerk: User, make_person: MakePerson) -> None:
    kept, dropped, student = (make_person("610102001") for _time in range(3))
    row = applied(clerk, year, student, parent=dropped)
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    db.session.refresh(row)
    assert row.parent_id == kept.id
    with pytest.raises(Refused, match="names one of the two as the parent of the other"):
        merge(SYSTEM, EVERYWHERE, kept.id, student.id)


def test_an_entry_of_a_merged_parent_can_still_be_entered(
    year: ProgramYear, clerk: User, make_person: MakePerson
) -> None:
    kept, dropped, student = (make_person("610102001") for _time in range(3))
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    row = applied(clerk, year, student, parent=dropped)
    db.session.refresh(row)
    assert row.parent_id == kept.id


def test_student_and_parent_are_shown_what_is_kept_and_erased(
    year: ProgramYear, clerk: User, make_person: MakePerson
) -> None:
    student, parent = make_person("610102001"), make_person("610102001")
    row = applied(clerk, year, student, parent=parent, level="senior")
    (shown,) = [one for one in show_data(SYSTEM, EVERYWHERE, student.id) if one.title == "Application for study aid"]
    assert shown.values["School"] == "西秦大学"
    assert shown.values["Level of school"] == "Senior school"
    (of_child,) = [one for one in show_data(SYSTEM, EVERYWHERE, parent.id) if one.title == "Study aid of a child"]
    assert dict(of_child.values) == {"Year": "2014"}
    erase(SYSTEM, EVERYWHERE, parent.id, "asked for")
    db.session.refresh(row)
    assert (row.parent, row.parent_id, row.school) == ("", parent.id, "西秦大学")
    erase(SYSTEM, EVERYWHERE, student.id, "asked for")
    db.session.refresh(row)
    assert (row.school, row.level) == ("—", "senior")
