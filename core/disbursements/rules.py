"""Rules that schemes share: who has it already, who is nobody to be paid, and how a pool is shared out to the fen."""

from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Select, Subquery, case, cast, func, literal, select, union

from core.disbursements.models import Payment
from core.people.models import Person
from core.plugin.types import SchemeContext

ALREADY_PAID = "already_paid"
MERGED = "merged"
NO_AMOUNT = "no_amount"


def share_pool(context: SchemeContext, candidates: Select[Any], pool_fen: int) -> Select[Any]:
    """Share ``pool_fen`` among the candidates by weight; the parts sum to it exactly (largest remainder).

    ``candidates`` is a scheme's select whose ``amount_fen`` is a whole weight (1 for equal shares). The excluded take
    no share, nor do those who were paid this item by another run or whose file was merged into another. Ties go to the
    lower person id. The pool times the largest weight must stay below 2**63.
    """
    named = candidates.subquery("named")
    paid, merged = paid_before(context), merged_files()
    reason = func.coalesce(
        named.c.exclude_reason,
        case((merged.c.person_id.is_not(None), MERGED), (paid.c.person_id.is_not(None), ALREADY_PAID)),
    )
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
        .outerjoin(merged, merged.c.person_id == named.c.person_id)
        .cte("weighed")
    )
    taking = weighed.c.exclude_reason.is_(None)
    product = literal(pool_fen, BigInteger) * weighed.c.weight
    # A CTE each: a subquery would be summed up again wherever it stands.
    weights = select(cast(func.sum(weighed.c.weight), BigInteger).label("sum")).where(taking).cte("weights")
    whole = select(weights.c.sum).scalar_subquery()
    remainder = func.mod(product, whole)
    remainders = select(_quotient(cast(func.sum(remainder), BigInteger), whole).label("lost")).where(taking)
    lost = select(remainders.cte("remainders").c.lost).scalar_subquery()
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
    """``person_id`` of those who have this benefit of the program year already, from another run that stands.

    Each once. Whoever was paid under a file that was merged into another since is named by both.
    """
    stands = (
        (Payment.program_year_id == context.program_year_id)
        & (Payment.item == context.item)
        & (Payment.run_id != context.run_id)
        & ~Payment.returned
    )
    kept = (
        select(Person.merged_into_id)
        .join(Payment, Payment.person_id == Person.id)
        .where(Person.merged_into_id.is_not(None), stands)
    )
    return union(select(Payment.person_id).where(stands), kept).subquery("paid_before")


def merged_files() -> Subquery:
    """``person_id`` of the files that were merged into others: whoever is meant is paid under the one that counts."""
    return select(Person.id.label("person_id")).where(Person.merged_into_id.is_not(None)).subquery("merged")


def _quotient(dividend: ColumnElement[int], divisor: Any) -> ColumnElement[int]:
    """Whole division by the database: SQLAlchemy's own operators would go through floating point."""
    return dividend.op("/", return_type=BigInteger())(divisor)
