"""Study aid goes on until graduation: who is renewed, who is not, and that it may be done again."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select, update

from core.api import SYSTEM, Org, Payment, Person, ProgramYear, Run, User, db, today
from core.audit.models import AuditLine
from core.programs.copying import copy_year, preview
from core.programs.queries import find
from core.users.testing import MakeUser
from plugins.four_seasons.autumn import years
from plugins.four_seasons.autumn.fictional import STUDENTS, make_students
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.registers import MINE_APPLICATIONS
from plugins.four_seasons.tests.autumn.students import SETTINGS, applied, stop, switch_on, take
from plugins.four_seasons.tests.conftest import computed_run

pytestmark = pytest.mark.services
MakePerson = Callable[..., Person]
PayOut = Callable[..., Run]
Award = Callable[..., Application]
#: What the settings of 2014 say, a year later.
FIRST_DAY = date(2015, 8, 1)
DAY = timedelta(days=1)


@pytest.fixture
def mine(app: Flask, small_tree: dict[str, Org]) -> ProgramYear:
    """Mine-disaster families of 2014."""
    return switch_on("mine_family_aid", notice_working_days=0, starts_on="2014-08-01")


@pytest.fixture
def award(make_user: MakeUser, mine: ProgramYear, make_person: MakePerson) -> Award:
    """``award(**values)``: an approved application of 2014."""
    clerk = make_user("clerk")

    def make(**values: Any) -> Application:
        row = applied(clerk, mine, make_person("610102001"), MINE_APPLICATIONS, **values)
        stop(row, "approved")
        return row

    return make


def of_2015() -> list[Application]:
    """The applications of the year after."""
    year = find(2015, "61", "mine_family_aid")
    assert year is not None
    rows = select(Application).where(Application.program_year_id == year.id).order_by(Application.person_id)
    return list(db.session.scalars(rows))


def test_who_was_paid_and_studies_on_is_renewed_at_the_level(
    mine: ProgramYear, award: Award, pay_out: PayOut, make_person: MakePerson
) -> None:
    parent = make_person("610202")
    row = award(level="junior", parent=parent, graduates_on=FIRST_DAY + DAY)
    award(graduates_on=FIRST_DAY)  # by the first day
    pay_out(mine, "four_seasons.mine")
    award()  # approved when everybody had been paid
    (line,) = preview(SYSTEM, 2014, 2015)
    assert (line.copied, line.refusal) == (["Study aid renewed until graduation: 1"], None)
    copy_year(SYSTEM, 2014, 2015, [mine.id])
    (made,) = of_2015()
    same = ("person_id", "org_path", "level", "school", "admitted_on", "graduates_on", "parent_id", "parent")
    assert [getattr(made, name) for name in same] == [getattr(row, name) for name in same]
    assert (made.renewed, made.state, made.applied_on, made.made_by) == (True, "approval", today(), None)


def test_a_reviewer_only_confirms_it_and_it_is_paid_again(
    mine: ProgramYear, award: Award, pay_out: PayOut, make_user: MakeUser
) -> None:
    row = award()
    pay_out(mine, "four_seasons.mine")
    copy_year(SYSTEM, 2014, 2015, [mine.id])
    (made,) = of_2015()
    year = find(2015, "61", "mine_family_aid")
    assert year is not None
    reviewer = make_user("reviewer", "610102")
    assert take(reviewer, year, made, "grant", register=MINE_APPLICATIONS) == "approved"
    run = pay_out(year, "four_seasons.mine")
    lines = select(Payment.payee_id, Payment.amount_fen).where(Payment.run_id == run.id)
    assert [tuple(line) for line in db.session.execute(lines)] == [(row.person_id, 5_000_00)]


def test_it_is_done_again_without_harm_and_by_a_command(
    mine: ProgramYear, award: Award, pay_out: PayOut, run_command: Callable[..., Result]
) -> None:
    award()
    pay_out(mine, "four_seasons.mine")
    copy_year(SYSTEM, 2014, 2015, [mine.id])
    first = [row.id for row in of_2015()]
    year = find(2015, "61", "mine_family_aid")
    assert year is not None
    assert years.renew(SYSTEM, year) == 0
    assert [row.id for row in of_2015()] == first
    late = award()
    pay_out(mine, "four_seasons.mine")
    options = ("--year", "2015", "--sponsor", "61", "--program", "mine_family_aid")
    assert run_command("four-seasons", "renew-study-aid", *options).output.strip() == "renewed 1"
    db.session.expire_all()
    assert late.person_id in {row.person_id for row in of_2015()}
    assert db.session.scalars(select(AuditLine.action).where(AuditLine.action == "study_aid.renew")).all()
    unknown = run_command("four-seasons", "renew-study-aid", "--year", "2009", "--sponsor", "61")
    assert unknown.exit_code != 0


def test_nobody_is_renewed_against_what_is_there(
    mine: ProgramYear, award: Award, pay_out: PayOut, make_user: MakeUser, run_jobs: Callable[[], int]
) -> None:
    """Who applies elsewhere in the new year, who is no longer on file, and whom a run would pay that is not posted."""
    elsewhere, gone = award(), award()
    pay_out(mine, "four_seasons.mine")
    award()
    assert computed_run(make_user("clerk"), mine, run_jobs, scheme="four_seasons.mine").paid == 1
    autumn = switch_on("autumn_study_aid", 2015, **(SETTINGS | {"applications_until": None}))
    applied(make_user("clerk"), autumn, db.session.get_one(Person, elsewhere.person_id))
    db.session.execute(update(Person).where(Person.id == gone.person_id).values(active=False))
    db.session.commit()
    copy_year(SYSTEM, 2014, 2015, [mine.id])
    assert of_2015() == []


def test_a_renewed_one_keeps_to_the_closing_date(mine: ProgramYear, award: Award, pay_out: PayOut) -> None:
    mine.settings = mine.settings | {"applications_until": "2014-08-27"}
    db.session.commit()
    award()
    pay_out(mine, "four_seasons.mine")
    copy_year(SYSTEM, 2014, 2015, [mine.id])
    assert [row.applied_on for row in of_2015()] == [min(today(), date(2015, 8, 27))]


def test_the_union_is_the_one_of_today(mine: ProgramYear, award: Award, pay_out: PayOut) -> None:
    row = award()
    pay_out(mine, "four_seasons.mine")
    other = db.session.query(Org).filter_by(code="610103").one()
    place = {"org_id": other.id, "org_path": other.path}
    db.session.execute(update(Person).where(Person.id == row.person_id).values(**place))
    db.session.commit()
    copy_year(SYSTEM, 2014, 2015, [mine.id])
    assert [made.org_path for made in of_2015()] == [other.path]


def test_fictional_students_fit_into_what_was_raised(
    app: Flask, small_tree: dict[str, Org], make_person: MakePerson, pay_out: PayOut, make_user: MakeUser
) -> None:
    year = switch_on("autumn_study_aid", **(SETTINGS | {"rule": "pool", "pool": 7 * 2_114_00}))
    for code in ("610102001", "610202"):
        for _time in range(9):
            make_person(code)
    before = make_students(SYSTEM, year, 7)
    chosen = db.session.scalars(select(Application.person_id).order_by(Application.person_id)).all()
    assert (before, len(chosen), make_students(SYSTEM, year, 7)) == (7, 7, 2)  # eighteen make nine families
    assert len(set(db.session.scalars(select(Application.org_path)))) == 2
    run = pay_out(year, "four_seasons.autumn")
    assert (run.paid, run.total_fen) == (9, 7 * 2_114_00)
    assert db.session.scalar(select(func.count()).where(Application.parent_id == Application.person_id)) == 0


def test_the_figures_of_the_year_are_the_source_s() -> None:
    assert (STUDENTS, round(30_480_000 / STUDENTS)) == (14_417, 2_114)


def test_students_are_made_by_a_command(
    app: Flask, small_tree: dict[str, Org], make_person: MakePerson, run_command: Callable[..., Result], clerk: User
) -> None:
    switch_on("autumn_study_aid", **SETTINGS)
    for _time in range(4):
        make_person("610102001")
    options = ("--year", "2014", "--sponsor", "61", "--user", clerk.username)
    assert run_command("four-seasons", "make-season", "autumn_study_aid", *options).output.strip() == "applications 2"


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    return make_user("clerk")
