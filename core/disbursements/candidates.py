"""Who is a candidate of a run, which union pays for them, and why somebody is not paid: one statement over everybody.

The scheme says whom it means and how much they get; the core takes out whoever was merged, has the benefit already,
gets the same from another program, or has reached a cap.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Insert,
    Select,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    not_,
    null,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import aliased

from core.disbursements.models import Candidate, Run, RunChunk
from core.disbursements.payees import payees_of
from core.disbursements.rules import (
    CAPPED,
    CONFLICT,
    NO_AMOUNT,
    knows_who_is_paid,
    left_out,
    paid_elsewhere,
    paid_in_year,
)
from core.extensions import db
from core.org.models import Org
from core.org.scope import lies_below, subtree
from core.plugin.types import SchemeContext


def candidates_of(run: Run, answer: Select[Any], context: SchemeContext) -> Select[Any]:
    """The scheme's answer in the columns of :class:`Candidate`, each payee with the union that pays.

    The first reason counts: the scheme's own, a merged file, the same benefit, the same purpose elsewhere, no amount, a
    cap that is used up. What exceeds a cap is cut down to it.
    """
    named = answer.subquery("named")
    payers = _payers(run)
    columns = named.c
    payee = payees_of(run).subquery("payee")
    query = select().select_from(named).join(payers, payers.c.org_id == columns.org_id)
    query = query.outerjoin(payee, payee.c.id == columns.payee_id)
    reasons: list[Any] = [(columns.exclude_reason.is_not(None), columns.exclude_reason)]
    note: Any = null()
    if not knows_who_is_paid(answer):
        query, ways = left_out(context, query, columns.payee_id)
        reasons += ways
    if run.purpose:
        elsewhere = paid_elsewhere(run)
        query = query.outerjoin(elsewhere, elsewhere.c.payee_id == columns.payee_id)
        reasons.append((elsewhere.c.payee_id.is_not(None), CONFLICT))
        note = elsewhere.c.title
    amount: ColumnElement[Any] = columns.amount_fen
    reasons.append((or_(amount.is_(None), amount <= 0), NO_AMOUNT))
    for cap_fen, got in paid_in_year(run):
        query = query.outerjoin(got, got.c.payee_id == columns.payee_id)
        left = cap_fen - func.coalesce(got.c.fen, 0)
        reasons.append((left <= 0, CAPPED))
        amount = func.least(amount, left)
    reason = case(*reasons)
    return query.add_columns(
        literal(run.id).label("run_id"),
        payers.c.payer_id.label("chunk_org_id"),
        columns.payee_id,
        columns.org_id,
        columns.org_path,
        amount.label("amount_fen"),
        (columns.quantity if "quantity" in columns else null()).label("quantity"),
        columns.basis,
        reason.label("exclude_reason"),
        cast(case((reason == CONFLICT, note)), Text).label("note"),
        payee.c.name.label("payee_name"),
        payee.c.account_tail,
    )


def insert_candidates(run: Run, answer: Select[Any], context: SchemeContext) -> Insert:
    """Write the candidates down."""
    rows = candidates_of(run, answer, context)
    return insert(Candidate).from_select([column.name for column in rows.selected_columns], rows)


def paying_level(settings: Mapping[str, Any]) -> str:
    """The level whose union pays from its own budget line."""
    return str(settings.get("paying_level", "city"))


def _payers(run: Run) -> Subquery:
    """Org id -> the union that pays for it: the nearest one of the paying level at or above it, else the run's own."""
    level = paying_level(run.settings)
    of_industry = _of_industry(run)
    # Each half by itself, so that the unions below a payer are found by the index on their paths.
    below, payer = aliased(Org), aliased(Org)
    pays = and_(payer.level == level, subtree(payer.path, run.org_path))
    of_payer = payer.id.label("payer_id"), func.length(payer.path).label("depth")
    each = union_all(
        select(below.id.label("org_id"), *of_payer).join(payer, lies_below(below.path, payer.path)).where(pays),
        select(of_industry.c.org_id, *of_payer).join(payer, lies_below(of_industry.c.place, payer.path)).where(pays),
    ).subquery("each")
    covered = (
        select(each.c.org_id, each.c.payer_id)
        .ext(distinct_on(each.c.org_id))
        .order_by(each.c.org_id, each.c.depth.desc())
        .subquery("covered")
    )
    above = db.session.scalar(
        select(Org.id)
        .where(Org.level == level, func.starts_with(run.org_path, Org.path))
        .order_by(func.length(Org.path).desc())
        .limit(1)
    )
    payer_id = func.coalesce(covered.c.payer_id, above if above is not None else run.org_id)
    # From the table itself: of its ids the planner knows that each is there once, so that it joins a million, not more.
    return (
        select(Org.id.label("org_id"), payer_id.label("payer_id"))
        .outerjoin(covered, covered.c.org_id == Org.id)
        .where(or_(subtree(Org.path, run.org_path), Org.id.in_(select(of_industry.c.org_id))))
        .subquery("payers")
    )


def _of_industry(run: Run) -> Subquery:
    """Units of an industry union on the second axis, each with the place in the run's subtree that it lies below."""
    member, below = aliased(Org), aliased(Org)
    return (
        select(below.id.label("org_id"), member.industry_path.label("place"))
        .join(member, lies_below(below.path, member.path))
        .where(subtree(member.industry_path, run.org_path), not_(subtree(below.path, run.org_path)))
        .ext(distinct_on(below.id))
        .order_by(below.id, func.length(member.path).desc())
        .subquery("of_industry")
    )


def insert_chunks(run: Run) -> Insert:
    """Count the candidates by the union that pays."""
    paid = Candidate.exclude_reason.is_(None)
    # Counted before their unions are looked up: of what was just written the planner has no figures.
    counted = (
        select(
            Candidate.chunk_org_id,
            func.count().label("candidates"),
            func.count().filter(paid).label("paid"),
            func.count().filter(~paid).label("excluded"),
            func.coalesce(func.sum(Candidate.amount_fen).filter(paid), 0).label("total_fen"),
        )
        .where(Candidate.run_id == run.id)
        .group_by(Candidate.chunk_org_id)
        .subquery("counted")
    )
    column = counted.c
    rows = select(
        literal(run.id), Org.id, Org.path, column.candidates, column.paid, column.excluded, column.total_fen
    ).join(Org, Org.id == column.chunk_org_id)
    columns = ["run_id", "org_id", "org_path", "candidates", "paid", "excluded", "total_fen"]
    return insert(RunChunk).from_select(columns, rows)
