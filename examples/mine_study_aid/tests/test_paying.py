"""Who is paid, how much, for how long: the rule of the study aid, at its boundaries."""

from collections.abc import Callable
from datetime import date

import pytest
from core.api import Payment, Person, ProgramYear, Run
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select

from mine_study_aid.models import Student
from mine_study_aid.schemes import by_level

SCHEME = "mine_study_aid.by_level"
Enrol = Callable[..., Student]
PayOut = Callable[..., Run]


def amounts(db: SQLAlchemy, run: Run) -> dict[int, int]:
    lines = db.session.execute(select(Payment.payee_id, Payment.amount_fen).where(Payment.run_id == run.id))
    return dict(lines.all())


def test_each_level_has_its_amount(db: SQLAlchemy, year: ProgramYear, enrol: Enrol, pay_out: PayOut) -> None:
    levels = {"senior_school": 2000_00, "junior_college": 4000_00, "bachelor": 5000_00}
    students = {enrol(level).person_id: fen for level, fen in levels.items()}
    run = pay_out(year, SCHEME)
    assert (run.state, run.total_fen, run.excluded) == ("posted", 11000_00, 0)
    assert amounts(db, run) == students


def reasons(db: SQLAlchemy, pay_out: PayOut, year: ProgramYear, student: Student) -> list[str | None]:
    """Why the student is left out of a run that pays somebody else as well; empty if not even asked about."""
    run = pay_out(year, SCHEME)
    assert run.paid
    return _reasons(db, run, year, student)


def _reasons(db: SQLAlchemy, run: Run, year: ProgramYear, student: Student) -> list[str | None]:
    context = _Context(run, year)
    named = by_level(context).subquery()  # type: ignore[arg-type]
    return list(db.session.scalars(select(named.c.exclude_reason).where(named.c.payee_id == student.person_id)))


class _Context:
    def __init__(self, run: Run, year: ProgramYear) -> None:
        self.settings, self.year, self.program_year_id = run.settings, year.year, year.id


@pytest.mark.parametrize(
    ("enrolled_on", "graduates_on", "expected"),
    [
        ("2014-10-01", "2017-07-01", [None]),
        ("2014-10-02", "2017-07-01", ["not_yet"]),
        ("2011-09-01", "2014-10-01", [None]),
        ("2011-09-01", "2014-09-30", ["graduated"]),
        ("2011-09-01", "2014-01-01", ["graduated"]),
        ("2010-09-01", "2013-12-31", []),
    ],
)
def test_who_studies_on_the_day_is_paid(
    db: SQLAlchemy,
    year: ProgramYear,
    enrol: Enrol,
    pay_out: PayOut,
    enrolled_on: str,
    graduates_on: str,
    expected: list[str | None],
) -> None:
    enrol()
    student = enrol(enrolled_on=enrolled_on, graduates_on=graduates_on)
    assert reasons(db, pay_out, year, student) == expected


def test_who_has_no_account_or_is_no_longer_on_file_is_left_out_with_the_reason(
    db: SQLAlchemy, year: ProgramYear, enrol: Enrol, pay_out: PayOut
) -> None:
    enrol()
    poor, gone = enrol(with_account=False), enrol()
    db.session.get_one(Person, gone.person_id).active = False
    run = pay_out(year, SCHEME)
    assert (run.paid, run.excluded) == (1, 2)
    assert _reasons(db, run, year, poor) == ["no_account"]
    assert _reasons(db, run, year, gone) == ["inactive"]


def test_every_year_until_graduation_and_another_amount_at_another_level(
    db: SQLAlchemy, year: ProgramYear, program_year: Callable[..., ProgramYear], enrol: Enrol, pay_out: PayOut
) -> None:
    student, other = enrol(), enrol("bachelor", "2013-09-01", "2017-07-01")
    first = pay_out(year, SCHEME)
    student.level, student.enrolled_on, student.graduates_on = "bachelor", date(2015, 9, 1), date(2016, 7, 1)
    db.session.commit()
    second, third = (
        pay_out(
            program_year("mine_study_aid", year=number, sponsor="61-transport", counted_on=f"{number}-10-01"), SCHEME
        )
        for number in (2015, 2016)
    )
    assert amounts(db, first) == {student.person_id: 2000_00, other.person_id: 5000_00}
    assert amounts(db, second) == {student.person_id: 5000_00, other.person_id: 5000_00}
    assert amounts(db, third) == {other.person_id: 5000_00}


def test_nobody_is_paid_twice_in_a_year(db: SQLAlchemy, year: ProgramYear, enrol: Enrol, pay_out: PayOut) -> None:
    enrol()
    pay_out(year, SCHEME)
    enrol()
    again = pay_out(year, SCHEME)
    assert (again.paid, again.excluded) == (1, 1)


def test_another_sponsor_pays_its_own(
    db: SQLAlchemy, year: ProgramYear, program_year: Callable[..., ProgramYear], enrol: Enrol, pay_out: PayOut
) -> None:
    student = enrol()
    province = program_year("mine_study_aid", sponsor="61", counted_on="2014-10-01", senior_school=1_00)
    theirs = enrol()
    theirs.sponsor_id = province.org_id
    db.session.commit()
    assert amounts(db, pay_out(year, SCHEME)) == {student.person_id: 2000_00}
    assert amounts(db, pay_out(province, SCHEME)) == {theirs.person_id: 1_00}
