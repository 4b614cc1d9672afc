"""A program year: what it builds on, what blocks it, and what its plugin is asked about it."""

from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from flask import Flask
from flask_babel import force_locale
from sqlalchemy import func, select, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Refused
from core.extensions import db
from core.jobs.models import Job
from core.jobs.services import cancel, enqueue
from core.org.models import Org
from core.plugin.types import Blocker
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.programs.services import change_dates, close, disable, enable
from core.users.testing import AsUser
from tests.plugins_for_tests.halls import CLOSING, OPENING, Halls, run
from tests.plugins_for_tests.reading_club import plugin as reading_club


@pytest.fixture
def halls() -> Halls:
    return Halls()


@pytest.fixture
def plugins(halls: Halls) -> dict[str, object]:
    """The halls, and reading clubs that know nothing of them."""
    return {"halls": halls.module(), "reading_club": reading_club}


@pytest.fixture(autouse=True)
def _sentences_in_english(app: Flask) -> Iterator[None]:
    with force_locale("en"):
        yield


def switch_on(sponsor: Org, program: str = "halls", year: int = 2014, **settings: Any) -> ProgramYear:
    return enable(SYSTEM, program, year, sponsor, opens_on=date(year, 1, 1), settings=settings)


def count_years() -> int:
    return db.session.scalars(select(func.count()).select_from(ProgramYear)).one()


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditLine.action).order_by(AuditLine.id)))


def test_a_program_is_not_switched_on_without_the_one_it_builds_on(small_tree: dict[str, Org]) -> None:
    switch_on(small_tree["61"], "halls", 2013)
    switch_on(small_tree["6102"], "halls", 2014)
    with pytest.raises(Refused, match="“Halls”; switch that on for the year first"):
        switch_on(small_tree["6101"], "awards")
    assert count_years() == 2


@pytest.mark.parametrize("code", ["61", "6101"])
def test_it_is_enough_that_the_sponsor_or_one_above_it_runs_that(small_tree: dict[str, Org], code: str) -> None:
    switch_on(small_tree[code], "halls")
    assert switch_on(small_tree["6101"], "awards").enabled


def test_what_others_build_on_is_not_switched_off(small_tree: dict[str, Org]) -> None:
    base = switch_on(small_tree["61"], "halls")
    awards = switch_on(small_tree["6101"], "awards")
    with pytest.raises(Refused, match="“Awards” builds on it"):
        disable(SYSTEM, base)
    assert state_of(base) == "open"
    disable(SYSTEM, awards)
    disable(SYSTEM, base)
    assert state_of(base) == "off"


def test_one_of_two_that_others_build_on_may_go(small_tree: dict[str, Org]) -> None:
    base, nearer = switch_on(small_tree["61"], "halls"), switch_on(small_tree["6101"], "halls")
    switch_on(small_tree["6101"], "awards")
    disable(SYSTEM, base)
    with pytest.raises(Refused, match="builds on it"):
        disable(SYSTEM, nearer)


@pytest.mark.as_owner
def test_tables_that_are_not_up_to_date_are_named(small_tree: dict[str, Org]) -> None:
    db.session.execute(text("DELETE FROM reading_club_alembic"))
    db.session.commit()
    with pytest.raises(Refused, match="run: zhijia db upgrade"):
        switch_on(small_tree["61"], "reading_club", grant=1)
    assert count_years() == 0


def test_the_plugin_is_told_each_time_its_year_is_switched_on(small_tree: dict[str, Org], halls: Halls) -> None:
    program_year = switch_on(small_tree["61"])
    disable(SYSTEM, program_year)
    switch_on(small_tree["61"])
    switch_on(small_tree["61"], "reading_club", grant=1)
    assert halls.calls == [("enabled", "halls", 2014, True)] * 2


def test_a_plugin_that_fails_when_its_year_is_switched_on_leaves_nothing(
    small_tree: dict[str, Org], halls: Halls
) -> None:
    halls.error = LookupError("no rooms")
    with pytest.raises(Refused, match="“halls” failed, and nothing was changed: LookupError: no rooms"):
        switch_on(small_tree["61"])
    assert (count_years(), actions()) == (0, [])


def test_a_refusal_of_the_plugin_itself_is_said_as_it_is(small_tree: dict[str, Org], halls: Halls) -> None:
    halls.error = Refused("There is no room left.")
    with pytest.raises(Refused, match=r"^There is no room left\.$"):
        switch_on(small_tree["61"])
    assert count_years() == 0


def test_what_blocks_the_opening_refuses_switching_on_and_new_dates(small_tree: dict[str, Org], halls: Halls) -> None:
    halls.blockers = [OPENING, Blocker(step="open", sentence="Heat it."), CLOSING]
    with pytest.raises(Refused, match=r"^Paint the hall first\. Heat it\.$"):
        switch_on(small_tree["61"])
    assert count_years() == 0
    halls.blockers = [CLOSING]
    program_year = switch_on(small_tree["61"])
    halls.blockers = [OPENING]
    with pytest.raises(Refused, match="Paint"):
        change_dates(SYSTEM, program_year, opens_on=date(2014, 2, 1), closes_on=None)
    assert program_year.opens_on == date(2014, 1, 1)


def test_what_blocks_the_closing_refuses_it_and_nothing_else(small_tree: dict[str, Org], halls: Halls) -> None:
    program_year = switch_on(small_tree["61"])
    halls.blockers = [CLOSING]
    change_dates(SYSTEM, program_year, opens_on=date(2014, 2, 1), closes_on=None)
    with pytest.raises(Refused, match=r"^Return the chairs\.$"):
        close(SYSTEM, program_year)
    assert state_of(program_year) == "open"
    halls.blockers = [OPENING]
    close(SYSTEM, program_year)
    assert state_of(program_year) == "closed"


@pytest.mark.parametrize("answer", [ValueError("lost the keys"), "broken sql", ["a sentence"]])
def test_a_plugin_that_cannot_say_what_blocks_blocks(small_tree: dict[str, Org], halls: Halls, answer: Any) -> None:
    program_year = switch_on(small_tree["61"])
    halls.blockers = answer
    with pytest.raises(Refused, match="The plugin “halls” failed"):
        close(SYSTEM, program_year)
    assert (state_of(program_year), actions()) == ("open", ["program_year.enable"])


def test_a_plugin_that_is_not_asked_about_this_program_blocks_nothing(small_tree: dict[str, Org], halls: Halls) -> None:
    clubs = switch_on(small_tree["61"], "reading_club", grant=1)
    halls.blockers = [CLOSING]
    close(SYSTEM, clubs)


def test_a_year_is_not_closed_while_a_job_of_it_waits(small_tree: dict[str, Org]) -> None:
    clubs = switch_on(small_tree["61"], "reading_club", grant=1)
    job = enqueue("reading_club.count", SYSTEM, clubs.org_path, program_year_id=clubs.id)
    db.session.commit()
    with pytest.raises(Refused, match="1 background job is not finished"):
        close(SYSTEM, clubs)
    cancel(SYSTEM, db.session.get_one(Job, job.id))
    close(SYSTEM, clubs)


def test_the_page_says_what_stands_in_the_way_of_closing(
    small_tree: dict[str, Org], halls: Halls, as_user: AsUser
) -> None:
    program_year = switch_on(small_tree["61"])
    halls.blockers = [CLOSING]
    admin, address = as_user("admin"), f"/admin/years/{program_year.id}"
    page = admin.get(address).text
    assert "Return the chairs." in page
    assert f'action="{address}/close"' not in page
    admin.post(f"{address}/close")
    assert "Return the chairs." in admin.get(address).text
    assert state_of(program_year) == "open"
    halls.blockers = []
    assert f'action="{address}/close"' in admin.get(address).text


def test_closing_and_switching_off_by_the_command_line(app: Flask, small_tree: dict[str, Org], halls: Halls) -> None:
    program_year = switch_on(small_tree["61"])
    where = ("halls", "--year", "2014", "--sponsor", "61")
    halls.blockers = [CLOSING]
    assert run(app, "years", "close", *where) == (2, "Return the chairs.")
    halls.blockers = []
    assert run(app, "years", "close", *where)[0] == 0
    db.session.expire_all()
    assert state_of(program_year) == "closed"
    assert run(app, "years", "disable", *where) == (0, "disabled halls 2014\n")
    assert "not enabled" in run(app, "years", "disable", "halls", "--year", "2015", "--sponsor", "61")[1]
