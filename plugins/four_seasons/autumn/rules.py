"""What an application keeps to beside other rows: the parent, the files of the year, its closing date, other aid."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, ScalarSelect, and_, exists, false, func, literal, select
from sqlalchemy.orm import aliased

from core.api import Person, ProgramYear, Rule, offered, person_id_of
from plugins.four_seasons.autumn.models import Application
from plugins.four_seasons.autumn.words import APPLICATIONS, GIVEN_UP

Row = Mapping[str, ColumnElement[Any]]


def parent_of(row: Row) -> ScalarSelect[int]:
    """Whom the row names as the parent; nothing where it names nobody, or nobody on file."""
    return person_id_of(func.decode(func.split_part(row["parent"], " ", 2), "hex"))


def names_nobody(row: Row, _year: ProgramYear) -> ColumnElement[bool]:
    """Whoever is named is on file. An entry that names somebody already is not asked again."""
    before = exists().where(Application.id == row["id"], Application.parent == row["parent"])
    active = exists().where(Person.id == parent_of(row), Person.active)
    return and_(row["parent"] != "", ~before, ~active)


def names_the_student(row: Row, _year: ProgramYear) -> ColumnElement[bool]:
    """Nobody is their own parent."""
    return parent_of(row) == row["person_id"]


def claims_a_file(row: Row, year: ProgramYear) -> ColumnElement[bool]:
    """Who applies as the child of a worker on file names one who is on the hardship file of the year."""
    files = offered("hardship", year)
    on_file = false() if files is None else _parent_now(row).in_(select(files.subquery().c.person_id))
    return and_(row["basis"] == "on_file", ~func.coalesce(on_file, false()))


def _parent_now(row: Row) -> ColumnElement[int]:
    kept = select(Application.parent_id).where(Application.id == row["id"], Application.parent == row["parent"])
    return func.coalesce(kept.scalar_subquery(), parent_of(row))


def comes_too_late(row: Row, year: ProgramYear) -> ColumnElement[bool]:
    """Nobody has applied after the closing date of the year."""
    until = year.settings.get("applications_until")
    return row["applied_on"] > literal(date.fromisoformat(until)) if until else false()


def applies_elsewhere(row: Row, year: ProgramYear) -> ColumnElement[bool]:
    """A student applies in one program of study aid of a year and sponsor only."""
    return is_elsewhere(row["person_id"], year)


def is_elsewhere(person_id: Any, year: ProgramYear) -> ColumnElement[bool]:
    """Whether the person has an application that stands in another program of study aid."""
    other, its_year = aliased(Application), aliased(ProgramYear)
    return exists().where(
        other.person_id == person_id,
        other.state.not_in(GIVEN_UP),
        other.program_year_id == its_year.id,
        its_year.program.in_(APPLICATIONS),
        its_year.id != year.id,
        its_year.year == year.year,
        its_year.org_id == year.org_id,
    )


COMMON = (
    Rule(
        broken=names_nobody,
        sentence=_l("Nobody with this identity number is on file; take the parent on file first."),
        field="parent",
    ),
    Rule(broken=names_the_student, sentence=_l("The parent is the student."), field="parent"),
    Rule(
        broken=comes_too_late,
        sentence=_l("This day lies after the closing date for applications of the year."),
        field="applied_on",
    ),
    Rule(
        broken=applies_elsewhere,
        sentence=_l("The student applies in another program of study aid of this year; one is possible."),
        field="id_number",
    ),
)
CLAIM = Rule(
    broken=claims_a_file,
    sentence=_l("The parent is not on the hardship file of this year, so the student cannot apply as if it were so."),
    field="basis",
)
