"""Reading the hardship list and its imports. Every list keeps to a scope; nothing here writes."""

from collections.abc import Mapping, Sequence

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, exists, func, select

from core.api import (
    NotFound,
    Org,
    Payment,
    Person,
    ProgramYear,
    Run,
    RunChunk,
    SchemeContext,
    Scope,
    db,
    person_id_of,
)
from plugins.four_seasons.models import CATEGORIES, Hardship, Import, ImportRow

#: Lines of an uploaded list that a page shows.
PAGE = 50


def count_by_category(program_year: ProgramYear, scope: Scope) -> dict[str, int]:
    """Category -> number on the list, every category named."""
    query = (
        select(Hardship.category, func.count())
        .where(Hardship.program_year_id == program_year.id, scope.covers(Hardship.org_path))
        .group_by(Hardship.category)
    )
    found = dict(db.session.execute(query).all())
    return {category: found.get(category, 0) for category in CATEGORIES}


def why_listed(row: Hardship) -> str | None:
    """Why a worker cannot be taken off the list: a run that stands pays them, under this file or one merged into it."""
    files = select(Person.id).where((Person.id == row.person_id) | (Person.merged_into_id == row.person_id))
    paid = exists().where(
        Payment.person_id.in_(files), Payment.program_year_id == row.program_year_id, ~Payment.returned
    )
    if not db.session.scalar(select(paid)):
        return None
    return str(_("A run pays this worker; cancel the run before you take the worker off the list."))


def paid_so_far(context: SchemeContext) -> int:
    """Fen that other runs pay of this item in the program year."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(Payment.amount_fen), 0)).where(
                Payment.program_year_id == context.program_year_id,
                Payment.item == context.item,
                Payment.run_id != context.run_id,
                ~Payment.returned,
            )
        )
        or 0
    )


def paid_fen(program_year: ProgramYear, scope: Scope) -> int:
    """Fen that the posted runs of a year pay in the scope, by the union that pays."""
    return int(
        db.session.scalar(
            select(func.coalesce(func.sum(RunChunk.total_fen), 0))
            .join(Run, Run.id == RunChunk.run_id)
            .where(
                Run.program_year_id == program_year.id,
                RunChunk.entry_id.is_not(None),
                scope.covers(RunChunk.org_path),
            )
        )
        or 0
    )


def find_person(digest: bytes) -> Person | None:
    """The person whom the identity number with this digest leads to, wherever."""
    return db.session.scalar(select(Person).where(Person.id == person_id_of(digest)))


def known_orgs(scope: Scope, codes: Sequence[str]) -> Mapping[str, Org]:
    """The active orgs of the scope with these codes."""
    rows = db.session.scalars(select(Org).where(Org.code.in_(codes), Org.active, scope.covers(Org.path)))
    return {org.code: org for org in rows}


def imports_of(program_year: ProgramYear, scope: Scope) -> Sequence[Import]:
    """The last uploaded lists of the scope, newest first."""
    return db.session.scalars(
        select(Import)
        .where(Import.program_year_id == program_year.id, scope.covers(Import.org_path))
        .order_by(Import.id.desc())
        .limit(20)
    ).all()


def find_import(program_year_id: int, import_id: int, scope: Scope) -> Import:
    """One uploaded list, or :class:`NotFound`."""
    found = db.session.scalar(
        select(Import).where(
            Import.id == import_id, Import.program_year_id == program_year_id, scope.covers(Import.org_path)
        )
    )
    if found is None:
        raise NotFound(_("There is no such upload."))
    return found


def import_rows(upload: Import, *, bad: bool, after: int = 0, limit: int = PAGE) -> Sequence[ImportRow]:
    """Lines of an upload in the file's order, the bad ones or the good ones, after a line."""
    return db.session.scalars(_import_rows(upload.id, bad=bad).where(ImportRow.line > after).limit(limit)).all()


def _import_rows(import_id: int, *, bad: bool) -> Select[ImportRow]:
    has_errors: ColumnElement[bool] = ImportRow.errors != []
    return (
        select(ImportRow)
        .where(ImportRow.import_id == import_id, has_errors if bad else ~has_errors)
        .order_by(ImportRow.line)
    )
