"""Reading the hardship list. Every list keeps to a scope; nothing here writes."""

from sqlalchemy import ColumnElement, exists, func, or_, select
from sqlalchemy.orm import aliased

from core.api import (
    Payment,
    Person,
    ProgramYear,
    Run,
    RunChunk,
    SchemeContext,
    Scope,
    db,
)
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import CATEGORIES


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
