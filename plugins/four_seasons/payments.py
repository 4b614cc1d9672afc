"""What runs pay in a year, and whom: people are paid under the file they have today, or one merged into it since."""

from typing import Any

from sqlalchemy import ColumnElement, Subquery, exists, func, or_, select
from sqlalchemy.orm import aliased

from core.api import Payment, Person, ProgramYear, Run, RunChunk, SchemeContext, Scope, db


def is_posted() -> ColumnElement[bool]:
    """The condition that the ledger holds a payment: the part of the run that it belongs to was posted."""
    return exists().where(
        RunChunk.run_id == Payment.run_id, RunChunk.org_id == Payment.chunk_org_id, RunChunk.entry_id.is_not(None)
    )


def is_paid(row: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """The condition that a payment of ``row.program_year_id``, with the ``conditions``, went to ``row.person_id``."""
    file = aliased(Person)
    same_year = (Payment.program_year_id == row.program_year_id, ~Payment.returned, *conditions)
    own = exists().where(*same_year, Payment.payee_id == row.person_id)
    former = exists().where(*same_year, Payment.payee_id == file.id, file.merged_into_id == row.person_id)
    return or_(own, former)


def posted_by_person(program_year: ProgramYear) -> Subquery:
    """Who was paid by the posted runs of a year: ``person_id``, ``fen`` and ``org_path``, a row for each person.

    The path is that of the union they were paid at, of several the first. A person who is now beyond the reader's
    reach stays, as the payment is still the union's.
    """
    person_id = func.coalesce(Person.merged_into_id, Payment.payee_id)
    return (
        select(
            person_id.label("person_id"),
            func.sum(Payment.amount_fen).label("fen"),
            func.min(Payment.org_path).label("org_path"),
            func.min(Payment.payee_name).label("name"),
        )
        .outerjoin(Person, Person.id == Payment.payee_id)
        .where(Payment.program_year_id == program_year.id, ~Payment.returned, is_posted())
        .group_by(person_id)
        .subquery()
    )


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
