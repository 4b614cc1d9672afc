"""Reading the hardship list and the visits. Every list keeps to a scope; nothing here writes."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import aliased

from core.api import (
    Org,
    Payment,
    Person,
    ProgramYear,
    Run,
    RunChunk,
    SchemeContext,
    Scope,
    User,
    db,
)
from plugins.four_seasons.models import CATEGORIES, Hardship, Visit

#: Visits on a page of their list.
PAGE = 50


@dataclass(frozen=True)
class VisitRow:
    """A visit with its union, the name of the worker or unit, and who wrote it down."""

    visit: Visit
    org: Org
    whom: str
    writer: str


def count_by_category(program_year: ProgramYear, scope: Scope) -> dict[str, int]:
    """Category -> number on the list, every category named."""
    query = (
        select(Hardship.category, func.count())
        .where(Hardship.program_year_id == program_year.id, scope.covers(Hardship.org_path))
        .group_by(Hardship.category)
    )
    found = dict(db.session.execute(query).all())
    return {category: found.get(category, 0) for category in CATEGORIES}


def is_paid() -> ColumnElement[bool]:
    """The condition that a run that stands pays the worker in this year, under this file or one merged into it."""
    file = aliased(Person)
    same_year = (Payment.program_year_id == Hardship.program_year_id) & ~Payment.returned
    own = exists().where(same_year, Payment.payee_id == Hardship.person_id)
    former = exists().where(same_year, Payment.payee_id == file.id, file.merged_into_id == Hardship.person_id)
    return or_(own, former)


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


def visits_of(program_year: ProgramYear, scope: Scope, *, before: int | None = None) -> list[VisitRow]:
    """A page of visits, newest first; ``before`` is the last one's id. One row more says that there is more."""
    query = _visits(program_year, scope).order_by(Visit.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Visit.id < before)
    return [VisitRow(*row) for row in db.session.execute(query)]


def find_visit(
    program_year: ProgramYear, scope: Scope, *, visit_id: int | None = None, entry_id: int | None = None
) -> VisitRow | None:
    """One visit in the scope, by its number or by the entry that spent or undid it."""
    entry = or_(Visit.entry_id == entry_id, Visit.reversal_id == entry_id)
    query = _visits(program_year, scope).where(Visit.id == visit_id if visit_id is not None else entry)
    row = db.session.execute(query).one_or_none()
    return VisitRow(*row) if row else None


def visited_so_far(program_year: ProgramYear, scope: Scope) -> tuple[int, int]:
    """How many visits of the year stand, and what they came to in fen."""
    count, fen = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Visit.amount_fen), 0)).where(
            Visit.program_year_id == program_year.id, Visit.reversal_id.is_(None), scope.covers(Visit.org_path)
        )
    ).one()
    return count, int(fen)


def _visits(program_year: ProgramYear, scope: Scope) -> Select[Visit, Org, str, str]:
    return (
        select(Visit, Org, func.coalesce(Person.name, Visit.unit), func.coalesce(User.name, ""))
        .join(Org, Org.id == Visit.org_id)
        .outerjoin(Person, Person.id == Visit.person_id)
        .outerjoin(User, User.id == Visit.user_id)
        .where(Visit.program_year_id == program_year.id, scope.covers(Visit.org_path))
    )
