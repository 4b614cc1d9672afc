"""Rules that schemes share: who has it already, who is nobody to be paid, and how a pool is shared out to the fen."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Subquery,
    case,
    cast,
    func,
    literal,
    select,
    union,
)
from sqlalchemy.orm import aliased

from core.disbursements.models import Payment, Run
from core.people.models import Person
from core.plugin.types import SchemeContext
from core.programs.models import ProgramYear

ALREADY_PAID = "already_paid"
CAPPED = "capped"
CONFLICT = "conflict"
MERGED = "merged"
NO_AMOUNT = "no_amount"
_KNOWS = "zhijia_knows_who_is_paid"


def share_pool(context: SchemeContext, candidates: Select[Any], pool_fen: int) -> Select[Any]:
    """Share ``pool_fen`` among the candidates by weight; the parts sum to it exactly (largest remainder).

    ``candidates`` is a scheme's select whose ``amount_fen`` is a whole weight (1 for equal shares). The excluded take
    no share, nor do those who were paid this item by another run or whose file was merged into another. Ties go to the
    lower payee id. The pool times the largest weight must stay below 2**63.
    """
    named = candidates.subquery("named")
    known, ways = left_out(context, select().select_from(named), named.c.payee_id)
    weighed = known.add_columns(
        named.c.payee_id,
        named.c.org_id,
        named.c.org_path,
        cast(named.c.amount_fen, BigInteger).label("weight"),
        named.c.basis,
        func.coalesce(named.c.exclude_reason, case(*ways)).label("exclude_reason"),
    ).cte("weighed")
    taking = weighed.c.exclude_reason.is_(None)
    product = literal(pool_fen, BigInteger) * weighed.c.weight
    # A CTE each: a subquery would be summed up again wherever it stands.
    weights = select(cast(func.sum(weighed.c.weight), BigInteger).label("sum")).where(taking).cte("weights")
    whole = select(weights.c.sum).scalar_subquery()
    remainder = func.mod(product, whole)
    remainders = select((cast(func.sum(remainder), BigInteger) // whole).label("lost")).where(taking)
    lost = select(remainders.cte("remainders").c.lost).scalar_subquery()
    rank = func.row_number().over(order_by=[case((taking, remainder), else_=-1).desc(), weighed.c.payee_id])
    amount = product // whole + case((rank <= lost, 1), else_=0)
    return select(
        weighed.c.payee_id,
        weighed.c.org_id,
        weighed.c.org_path,
        case((taking, amount)).label("amount_fen"),
        weighed.c.basis,
        weighed.c.exclude_reason,
    ).execution_options(**{_KNOWS: True})


def left_out(
    context: SchemeContext, query: Select[Any], payee_id: ColumnElement[int]
) -> tuple[Select[Any], list[tuple[ColumnElement[bool], str]]]:
    """The query joined with who is left out, and the conditions with their reasons: merged, or paid before."""
    ways: list[tuple[ColumnElement[bool], str]] = []
    if context.payees == "people":
        merged = merged_files()
        query = query.outerjoin(merged, merged.c.person_id == payee_id)
        ways.append((merged.c.person_id.is_not(None), MERGED))
    paid = paid_before(context)
    query = query.outerjoin(paid, paid.c.payee_id == payee_id)
    return query, [*ways, (paid.c.payee_id.is_not(None), ALREADY_PAID)]


def knows_who_is_paid(answer: Select[Any]) -> bool:
    """Whether a scheme's answer has left out already who was paid or merged, as :func:`share_pool` does."""
    return bool(answer.get_execution_options().get(_KNOWS))


def paid_before(context: SchemeContext) -> Subquery:
    """``payee_id`` of those who have this benefit of the program year already, from another run that stands.

    Each once. Whoever was paid under a file that was merged into another since is named by both.
    """
    stands = (
        (Payment.program_year_id == context.program_year_id)
        & (Payment.item == context.item)
        & (Payment.run_id != context.run_id)
        & ~Payment.returned
    )
    paid = select(Payment.payee_id).where(stands)
    if context.payees != "people":
        return paid.subquery("paid_before")
    kept = (
        select(Person.merged_into_id)
        .join(Payment, Payment.payee_id == Person.id)
        .where(Person.merged_into_id.is_not(None), stands)
    )
    return union(paid, kept).subquery("paid_before")


def paid_elsewhere(run: Run) -> Subquery:
    """``payee_id, title``: who gets the run's purpose in its period by another run, of whatever program, and by which.

    The benefit of the run itself is not meant: :func:`paid_before` finds that.
    """
    stands = (
        (Payment.purpose == run.purpose)
        & (Payment.period == run.period)
        & (Payment.run_id != run.id)
        & ~Payment.returned
    )
    title = func.min(Run.title).label("title")
    kept, other = aliased(Person), aliased(Run)
    own = select(Payment.payee_id, title).join(Run, Run.id == Payment.run_id).where(stands).group_by(Payment.payee_id)
    of_merged = (
        select(kept.merged_into_id, func.min(other.title))
        .join(Payment, Payment.payee_id == kept.id)
        .join(other, other.id == Payment.run_id)
        .where(kept.merged_into_id.is_not(None), other.payees == "people", stands)
        .group_by(kept.merged_into_id)
    )
    both = union(own, of_merged).subquery()
    return (
        select(both.c.payee_id, func.min(both.c.title).label("title"))
        .group_by(both.c.payee_id)
        .subquery("paid_elsewhere")
    )


def paid_in_year(run: Run) -> list[tuple[int, Subquery]]:
    """For each cap of the run's settings, in fen: ``payee_id, fen`` of what other runs have given that counts to it.

    ``cap_program`` is what one payee may get from the program in the year, ``cap_year`` from all programs.
    """
    year = select(ProgramYear.year).where(ProgramYear.id == run.program_year_id).scalar_subquery()
    scopes = {
        "cap_program": Payment.program_year_id == run.program_year_id,
        "cap_year": ProgramYear.year == year,
    }
    return [(int(cap), _got(run, counts, name)) for name, counts in scopes.items() if (cap := run.settings.get(name))]


def _got(run: Run, counts: ColumnElement[bool], name: str) -> Subquery:
    payee = func.coalesce(Person.merged_into_id, Payment.payee_id) if run.payees == "people" else Payment.payee_id
    query = select(payee.label("payee_id"), func.sum(Payment.amount_fen).label("fen"))
    query = query.join(Run, Run.id == Payment.run_id).join(ProgramYear, ProgramYear.id == Run.program_year_id)
    if run.payees == "people":
        query = query.join(Person, Person.id == Payment.payee_id)
    query = query.where(counts, Run.payees == run.payees, Payment.run_id != run.id, ~Payment.returned)
    return query.group_by(payee).subquery(name)


def merged_files() -> Subquery:
    """``person_id`` of the files that were merged into others: whoever is meant is paid under the one that counts."""
    return select(Person.id.label("person_id")).where(Person.merged_into_id.is_not(None)).subquery("merged")
