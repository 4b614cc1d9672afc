"""What follows from results: failed lines are returned and reversed, and a run of which all is known is settled.

Part of the caller's transaction, with the run locked.
"""

from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, Text, func, literal, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.audit.services import Actor, record
from core.disbursements.banking.models import PaymentResult
from core.disbursements.models import Payment, Run, RunChunk
from core.disbursements.payout import METHODS
from core.extensions import db
from core.ledger import budgets
from core.ledger.models import Entry
from core.ledger.posting import Posting, post_entries
from core.ledger.services import Telling, tell_of_entries
from core.money import yuan
from core.org.models import Org

#: The scope of the entries that take back what did not arrive; their key is ``run:return:union``.
SCOPE = "run-return"


def reverse_failed(actor: Actor, run: Run, return_id: int | None, on_day: date, org_id: int | None = None) -> int:
    """Return the failed lines of a return file (of one union's list, with ``org_id``); the fen that are free again.

    One entry for each paying union, against that of the run; its budget from used to free, a line of the work ledger.
    """
    query = failed_lines(run.id).where(PaymentResult.return_id.is_not_distinct_from(return_id))
    if org_id is not None:
        query = query.where(Payment.chunk_org_id == org_id)
    failed = db.session.execute(query.order_by(Payment.chunk_org_id)).all()
    if not failed:
        return 0
    sums = {row.org_id: int(row.fen) for row in failed}
    budgets.give_back(run.program_year_id, sums, run.source)
    paid = _entries_of(run, list(sums))
    postings = [_reversal(run, return_id, row, paid[row.org_id], on_day) for row in failed]
    tellings = []
    for row, entry in zip(failed, post_entries(actor, postings), strict=True):
        org = db.session.get_one(Org, row.org_id)
        result = f"退回 {row.lines} 笔，{yuan(int(row.fen))} 元"
        tellings.append(Telling(entry, org, METHODS[run.form], result, f"{run.title}（退回）"))
    tell_of_entries(actor, tellings)
    _mark_returned(run.id, return_id, list(sums))
    return sum(sums.values())


def failed_lines(run_id: int) -> Select[*tuple[Any, ...]]:
    """``org_id, return_id, lines, fen, digest`` of the failed lines of a run, by paying union and return file."""
    return (
        select(
            Payment.chunk_org_id.label("org_id"),
            PaymentResult.return_id,
            func.count().label("lines"),
            func.sum(Payment.amount_fen).label("fen"),
            digest_of_lines(Payment.payee_id, Payment.amount_fen).label("digest"),
        )
        .join(
            PaymentResult,
            (PaymentResult.run_id == Payment.run_id) & (PaymentResult.payee_id == Payment.payee_id),
        )
        .where(PaymentResult.run_id == run_id, PaymentResult.state == "failed")
        .group_by(Payment.chunk_org_id, PaymentResult.return_id)
    )


def digest_of_lines(payee_id: SQLColumnExpression[int], amount_fen: SQLColumnExpression[int]) -> ColumnElement[bytes]:
    """An aggregate over payments: the same for the same payees and amounts, in whatever order and layout they stand."""
    said = func.concat(payee_id, ":", amount_fen)
    together = func.string_agg(said, aggregate_order_by(literal("\n", Text), payee_id))
    return func.sha256(func.convert_to(func.coalesce(together, ""), "UTF8"))


def key_of(run_id: int, return_id: int | None, org_id: int) -> str:
    """The key of the entry that takes back what failed; a list of cash or goods has no return file."""
    return f"{run_id}:{return_id or 'list'}:{org_id}"


def settle(actor: Actor, run: Run) -> None:
    """Say that the run is settled, if what came of every line is known."""
    known = db.session.scalars(select(func.count()).where(PaymentResult.run_id == run.id)).one()
    if run.state != "settled" and known == run.paid:
        run.state = "settled"
        record(actor, "run.settle", f"run:{run.id}", run.org_path, lines=known)


def _entries_of(run: Run, org_ids: list[int]) -> dict[int, Entry]:
    rows = db.session.execute(
        select(RunChunk.org_id, Entry)
        .join(Entry, Entry.id == RunChunk.entry_id)
        .where(RunChunk.run_id == run.id, RunChunk.org_id.in_(org_ids))
    )
    return dict(rows.all())


def _reversal(run: Run, return_id: int | None, failed: Any, paid: Entry, on_day: date) -> Posting:
    """The run's own entry the other way round, for what failed: its accounts stay right when its plugin is gone."""
    swapped = [(leg.account.code, int(-failed.fen if leg.amount_fen > 0 else failed.fen)) for leg in paid.legs]
    return Posting(
        scope=SCOPE,
        key=key_of(run.id, return_id, failed.org_id),
        kind=paid.kind,
        title=f"{paid.title}（退回）",
        description=f"{run.title}（退回 {failed.lines} 笔）",
        org_id=paid.org_id,
        org_path=paid.org_path,
        program_year_id=paid.program_year_id,
        effective_on=on_day,
        legs=sorted(swapped, key=lambda leg: leg[1] < 0),
        basis_digest=failed.digest,
    )


def _mark_returned(run_id: int, return_id: int | None, org_ids: list[int]) -> None:
    """Make room for another payment of the same benefit."""
    db.session.execute(
        update(Payment)
        .where(
            Payment.run_id == run_id,
            Payment.chunk_org_id.in_(org_ids),
            PaymentResult.run_id == run_id,
            PaymentResult.payee_id == Payment.payee_id,
            PaymentResult.state == "failed",
            PaymentResult.return_id.is_not_distinct_from(return_id),
        )
        .values(returned=True)
        .execution_options(synchronize_session=False)
    )
