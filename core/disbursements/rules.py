"""Rules that schemes share: who has it already, and how a pool is shared out to the fen."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, case, cast, func, literal, select

from core.disbursements.models import Payment
from core.plugin.types import SchemeContext

ALREADY_PAID = "already_paid"
NO_AMOUNT = "no_amount"


def share_pool(context: SchemeContext, candidates: Select[Any], pool_fen: int) -> Select[Any]:
    """Share ``pool_fen`` among the candidates by weight; the parts sum to it exactly (largest remainder).

    ``candidates`` is a scheme's select whose ``amount_fen`` is a whole weight (1 for equal shares). The excluded, and
    those who were paid this item by another run, take no share. Ties go to the lower person id. The pool times the
    largest weight must stay below 2**63.
    """
    named = candidates.subquery("named")
    paid = paid_before(context)
    reason = func.coalesce(named.c.exclude_reason, case((paid.c.person_id.is_not(None), ALREADY_PAID)))
    weighed = (
        select(
            named.c.person_id,
            named.c.org_id,
            named.c.org_path,
            cast(named.c.amount_fen, BigInteger).label("weight"),
            named.c.basis,
            reason.label("exclude_reason"),
        )
        .outerjoin(paid, paid.c.person_id == named.c.person_id)
        .cte("weighed")
    )
    taking = weighed.c.exclude_reason.is_(None)
    product = literal(pool_fen, BigInteger) * weighed.c.weight
    whole = select(cast(func.sum(weighed.c.weight), BigInteger)).where(taking).scalar_subquery()
    remainder = func.mod(product, whole)
    lost = select(_quotient(cast(func.sum(remainder), BigInteger), whole)).where(taking).scalar_subquery()
    rank = func.row_number().over(order_by=[case((taking, remainder), else_=-1).desc(), weighed.c.person_id])
    amount = _quotient(product, whole) + case((rank <= lost, 1), else_=0)
    return select(
        weighed.c.person_id,
        weighed.c.org_id,
        weighed.c.org_path,
        case((taking, amount)).label("amount_fen"),
        weighed.c.basis,
        weighed.c.exclude_reason,
    )


def paid_before(context: SchemeContext) -> Subquery:
    """``person_id`` of those who have this benefit of the program year already, from another run that stands."""
    return (
        select(Payment.person_id)
        .where(
            Payment.program_year_id == context.program_year_id,
            Payment.item == context.item,
            Payment.run_id != context.run_id,
            ~Payment.returned,
        )
        .subquery("paid_before")
    )


def _quotient(dividend: ColumnElement[int], divisor: Any) -> ColumnElement[int]:
    """Whole division by the database: SQLAlchemy's own operators would go through floating point."""
    return dividend.op("/", return_type=BigInteger())(divisor)
