"""Nobody is missed (全覆盖、不遗漏): the list is taken from the files of workers, and all on it are reached."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, exists, func, literal, or_, select, text
from sqlalchemy.dialects.postgresql import insert

from core.api import (
    Org,
    Person,
    ProgramYear,
    Refused,
    Scope,
    User,
    db,
    mask_id,
    offered,
    record,
    scope_of,
)
from plugins.four_seasons.payments import is_paid, is_posted
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import CATEGORIES, EDIT

#: Of those who are missed, as many are named as fit on a page.
NAMED = 50


@dataclass(frozen=True)
class Missed:
    """A worker who is missed, with a masked number and their union."""

    name: str
    id_number: str
    org: str


@dataclass(frozen=True)
class Coverage:
    """How many are on file (none where no program keeps files), of them not on the list, on the list, not reached.

    Reached is whom a posted run pays or a visit that stands went to; ``missed`` are the first who are not.
    """

    on_file: int | None
    not_listed: int
    listed: int
    not_reached: int
    missed: list[Missed]


def coverage(program_year: ProgramYear, scope: Scope) -> Coverage:
    """The figures of a year within a scope."""
    files, not_listed = _on_file(program_year, scope), 0
    on_file: int | None = None
    if files is not None:
        rows = files.subquery()
        listed = exists().where(Hardship.person_id == rows.c.person_id, Hardship.program_year_id == program_year.id)
        on_file, not_listed = db.session.execute(
            select(func.count(), func.count().filter(~listed)).select_from(rows)
        ).one()
    mine = (Hardship.program_year_id == program_year.id, scope.covers(Hardship.org_path))
    listed_count, not_reached = db.session.execute(
        select(func.count(), func.count().filter(~is_reached())).select_from(Hardship).where(*mine)
    ).one()
    missed = db.session.execute(
        select(Person.name, Person.id_number_tail, Org.short_name)
        .select_from(Hardship)
        .join(Person, Person.id == Hardship.person_id)
        .join(Org, Org.id == Hardship.org_id)
        .where(*mine, ~is_reached())
        .order_by(Hardship.org_path, Hardship.id)
        .limit(NAMED if not_reached else 0)
    )
    named = [Missed(name, mask_id(tail), org) for name, tail, org in missed]
    return Coverage(on_file, not_listed, listed_count, not_reached, named)


def is_reached() -> ColumnElement[bool]:
    """The condition that a posted run pays the worker on the list, or a visit that stands went there."""
    visited = exists().where(
        Visit.program_year_id == Hardship.program_year_id,
        Visit.person_id == Hardship.person_id,
        Visit.undone_on.is_(None),
    )
    return or_(visited, is_paid(Hardship, is_posted()))


def take_from_files(actor: User, program_year: ProgramYear) -> int:
    """Put everybody on file in hardship on the list, as far as the actor may change it; returns how many were added.

    Who is on the list stays as they are there. Raises :class:`Refused` where no program of this year keeps files, or
    nobody on file is missing.
    """
    files = _on_file(program_year, scope_of(actor, EDIT, program_year.program))
    if files is None:
        raise Refused(_("No program of this year keeps files of workers; switch one on, or import the list."))
    rows = files.subquery()
    columns = ["program_year_id", "person_id", "org_id", "org_path", "category", "cause"]
    source = select(literal(program_year.id), *(rows.c[name] for name in columns[1:])).order_by(
        rows.c.org_path, rows.c.person_id
    )
    added = db.session.connection().execute(
        insert(Hardship).from_select(columns, source).on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )
    if not added.rowcount:
        db.session.rollback()
        raise Refused(_("Everybody on file is on the list already."))
    db.session.execute(text(f"ANALYZE {Hardship.__tablename__}"))  # a run may come before autovacuum does
    record(actor, "register.take", f"program_year:{program_year.id}", program_year.org_path, added=added.rowcount)
    db.session.commit()
    return int(added.rowcount)


def _on_file(program_year: ProgramYear, scope: Scope) -> Select[*tuple[Any, ...]] | None:
    """Who is on file in hardship in the scope, in the columns of the list; none where no program keeps files."""
    files = offered("hardship", program_year)
    if files is None:
        return None
    rows = files.subquery()
    kept = (Person.id == rows.c.person_id, Person.active)
    return select(rows).where(exists().where(*kept), rows.c.category.in_(CATEGORIES), scope.covers(rows.c.org_path))
