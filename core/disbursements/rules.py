"""Rules that schemes share: who has it already, and how a pool is shared out to the fen."""

from typing import Any

from sqlalchemy import BigInteger, Select, case, cast, exists, func, literal, select

from core.disbursements.models import Payment
from core.plugin.types import SchemeContext

ALREADY_PAID = "already_paid"
NO_AMOUNT = "no_amount"


def share_pool(context: SchemeContext, candidates: Select[Any], pool_fen: int) -> Select[Any]:
    """Share ``pool_fen`` among the candidates by weight; the parts sum to it exactly (largest remainder).

    ``candidates`` is a scheme's select whose ``amount_fen`` is a whole weight (1 for equal shares). The excluded, and
    those who were paid this item by another run, take no share. Ties go to the lower person id.
    """
    named = candidates.subquery("named")
    excluded = func.coalesce(named.c.exclude_reason, case((paid_before(context, named.c.person_id), ALREADY_PAID)))
    known = select(*(column for column in named.c if column.name != "exclude_reason"), excluded.label("exclude_reason"))
    weighed = known.subquery("weighed")
    weight = case((weighed.c.exclude_reason.is_(None), cast(weighed.c.amount_fen, BigInteger)), else_=0)
    whole = func.nullif(cast(func.sum(weight).over(), BigInteger), 0)
    shares = select(
        *(column for column in weighed.c if column.name != "amount_fen"),
        (literal(pool_fen, BigInteger) * weight // whole).label("part"),
        (literal(pool_fen, BigInteger) * weight % whole).label("remainder"),
    ).subquery("shares")
    rank = func.row_number().over(order_by=[shares.c.remainder.desc(), shares.c.person_id])
    lost = pool_fen - cast(func.sum(shares.c.part).over(), BigInteger)
    parts = {
        "amount_fen": shares.c.part + case((rank <= lost, 1), else_=0),
    }
    return select(*(parts.get(name, shares.c.get(name)).label(name) for name in _names(candidates)))


def _names(answer: Select[Any]) -> list[str]:
    return [column.name for column in answer.subquery().c]


def paid_before(context: SchemeContext, person_id: Any) -> Any:
    """Whether the person has this benefit of the program year already, from another run that stands."""
    return exists().where(
        Payment.person_id == person_id,
        Payment.program_year_id == context.program_year_id,
        Payment.item == context.item,
        Payment.run_id != context.run_id,
        ~Payment.returned,
    )
