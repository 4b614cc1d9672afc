"""Sealing a run's payments: a digest for each block of a thousand lines, and one of its blocks for each chunk.

A chunk is sealed when it is filled, by the worker that has just written its lines. Whatever changes a line before the
run is approved (an objection, a payee's new name) takes the chunk's digest away, and approval seals it anew. Posting
seals what was decided about the run. The entry carries both into the chain; :mod:`core.disbursements.verify` computes
all of them again.
"""

import hashlib
from datetime import UTC
from typing import Any

from sqlalchemy import (
    BigInteger,
    Insert,
    Select,
    Text,
    Update,
    cast,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from core.disbursements.models import Payment, Run, RunApproval, RunChunk, Seal
from core.extensions import db
from core.ledger.posting import canonical_digest

#: Lines of one block: few enough to say where something was changed.
BLOCK = 1_000
#: Between the parts of a line; no name or account holds it.
_BETWEEN = "\x1f"
#: What stands in the record of a run, beside the decisions on it (migration 0020 keeps them as they are).
RECORD = (
    *("program_year_id", "scheme", "item", "payees", "form", "purpose", "period", "source", "title", "org_id"),
    *("settings", "settings_version", "candidates", "paid", "excluded", "total_fen", "created_by", "submitted_by"),
    *("round", "stages", "band_fen", "notice_from", "notice_until", "follows"),
)
_COLUMNS = ("run_id", "chunk_org_id", "no", "first_payee_id", "last_payee_id", "lines", "total_fen", "digest")


def blocks_of(lines: Any) -> Select[Any]:
    """The seals of these payments (columns as in :class:`Payment`), block by block: one row as in :class:`Seal`."""
    column = lines.c
    number = func.row_number().over(partition_by=[column.run_id, column.chunk_org_id], order_by=column.payee_id)
    said = func.concat_ws(
        _BETWEEN,
        column.payee_id,
        column.amount_fen,
        column.item,
        column.payee_name,
        column.account_tail,
        func.coalesce(cast(column.quantity, Text), ""),
        func.coalesce(column.purpose, ""),
        func.coalesce(column.period, ""),
    )
    # The type of the divisor keeps the division whole: without it, it goes through floating point.
    numbered = select(
        column.run_id,
        column.chunk_org_id,
        ((number - 1) // literal(BLOCK, BigInteger)).label("no"),
        column.payee_id,
        column.amount_fen,
        said.label("said"),
    ).subquery("numbered")
    block = numbered.c
    together = func.string_agg(block.said, aggregate_order_by(literal("\n", Text), block.payee_id))
    return select(
        block.run_id,
        block.chunk_org_id,
        block.no,
        func.min(block.payee_id).label("first_payee_id"),
        func.max(block.payee_id).label("last_payee_id"),
        func.count().label("lines"),
        cast(func.sum(block.amount_fen), BigInteger).label("total_fen"),
        func.sha256(func.convert_to(together, "UTF8")).label("digest"),
    ).group_by(block.run_id, block.chunk_org_id, block.no)


def sealed_columns() -> list[Any]:
    """What :func:`blocks_of` reads of a payment."""
    read = Payment.run_id, Payment.chunk_org_id, Payment.payee_id, Payment.amount_fen, Payment.item
    return [*read, Payment.payee_name, Payment.account_tail, Payment.quantity, Payment.purpose, Payment.period]


def insert_seals(lines: Any) -> Insert:
    """Seal these payments, which have no seals yet."""
    return insert(Seal).from_select(_COLUMNS, blocks_of(lines))


def seal_chunk(run_id: int, org_id: int) -> Update:
    """Write the digest of a chunk's blocks to the chunk, which is filled."""
    digest = select(chunk_digest()).where(Seal.run_id == run_id, Seal.chunk_org_id == org_id).scalar_subquery()
    here = RunChunk.run_id == run_id, RunChunk.org_id == org_id
    filled = update(RunChunk).where(*here).values(digest=digest, state="filled")
    return filled.execution_options(synchronize_session=False)


def chunk_digest(blocks: Any = Seal) -> Any:
    """The digest of blocks in their order; of none: that of nothing."""
    nothing = text("''::bytea")
    return func.sha256(func.coalesce(func.string_agg(blocks.digest, aggregate_order_by(nothing, blocks.no)), nothing))


def unseal(run_id: int, org_ids: Any) -> None:
    """Say that lines of these chunks (ids, or a select of ids) have changed since they were sealed."""
    db.session.execute(
        update(RunChunk)
        .where(RunChunk.run_id == run_id, RunChunk.org_id.in_(org_ids))
        .values(digest=None)
        .execution_options(synchronize_session=False)
    )


def seal_again(run_id: int) -> None:
    """Seal the chunks that have no digest; the caller commits."""
    changed = select(RunChunk.org_id).where(RunChunk.run_id == run_id, RunChunk.digest.is_(None))
    org_ids = list(db.session.scalars(changed))
    if not org_ids:
        return
    db.session.execute(
        delete(Seal)
        .where(Seal.run_id == run_id, Seal.chunk_org_id.in_(org_ids))
        .execution_options(synchronize_session=False)
    )
    lines = select(Payment).where(Payment.run_id == run_id, Payment.chunk_org_id.in_(org_ids)).subquery("lines")
    db.session.execute(insert_seals(lines))
    for org_id in org_ids:
        db.session.execute(seal_chunk(run_id, org_id))


def record_digest(run: Run) -> bytes:
    """The digest of what was decided about a run: what it was computed with and came to, its stages, every decision."""
    decision = RunApproval.round, RunApproval.stage, RunApproval.user_id, RunApproval.approved, RunApproval.comment
    rows = db.session.execute(
        select(*decision, RunApproval.at)
        .where(RunApproval.run_id == run.id)
        .order_by(RunApproval.round, RunApproval.user_id)
    )
    said: dict[str, Any] = {name: getattr(run, name) for name in RECORD}
    for day in ("notice_from", "notice_until"):
        said[day] = said[day].isoformat() if said[day] else None
    said["run"] = run.id
    said["decisions"] = [[*values, at.astimezone(UTC).isoformat()] for *values, at in rows]
    return canonical_digest(said)


def basis_of(run: Run, chunk: RunChunk) -> bytes | None:
    """What the entry of a chunk carries into the chain: the seal of its payments, bound to the record of the run."""
    if run.digest is None:  # posted before runs had a record
        return chunk.digest
    return hashlib.sha256((chunk.digest or b"") + run.digest).digest()
