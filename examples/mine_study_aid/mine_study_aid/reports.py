"""How many study, and what they were paid."""

from typing import Any

from core.api import Payment, ReportContext
from sqlalchemy import Select, and_, func, select

from .models import Student


def by_level(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """The students of the sponsor by level, those paid in the year, and their money in fen."""
    paid = and_(
        Payment.payee_id == Student.person_id,
        Payment.program_year_id == context.program_year.id,
        ~Payment.returned,
    )
    return (
        select(
            Student.level.label("level"),
            func.count().label("students"),
            func.count(Payment.payee_id).label("paid"),
            func.coalesce(func.sum(Payment.amount_fen), 0).label("amount_fen"),
        )
        .outerjoin(Payment, paid)
        .where(Student.sponsor_id == context.program_year.org_id, context.scope.covers(Student.org_path))
        .group_by(Student.level)
        .order_by(Student.level)
    )
