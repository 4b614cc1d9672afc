"""Recomputing every run that was computed: lines against seals and totals, totals against entries, coverage."""

from collections.abc import Iterator
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, Subquery, func, select, text

from core.disbursements.banking.models import PaymentResult
from core.disbursements.banking.results import SCOPE, failed_lines, key_of
from core.disbursements.models import Exclusion, Payment, Run, RunChunk, Seal
from core.disbursements.sealing import basis_of, blocks_of, chunk_digest
from core.extensions import db
from core.ledger.models import Entry, Leg
from core.ledger.verify import Finding
from core.money import yuan
from core.org.models import Org

BOOKED = ("posted", "sent", "settled")
SEALED = ("approved", *BOOKED)
RESULT = ("computed", "notice", "submitted", *SEALED)

_TWICE = """
SELECT payee_id, item AS benefit, string_agg(run_id::text, ', ' ORDER BY run_id) AS runs FROM core_payment
 WHERE NOT returned GROUP BY payee_id, program_year_id, item HAVING count(*) > 1
UNION
SELECT payee_id, purpose, string_agg(run_id::text, ', ' ORDER BY run_id) FROM core_payment
 WHERE NOT returned AND purpose IS NOT NULL GROUP BY payee_id, purpose, period HAVING count(*) > 1
 ORDER BY payee_id, benefit
"""


def verify_runs() -> Iterator[Finding]:
    """Findings of every run with a result, and whether anybody was paid the same benefit twice."""
    for run in db.session.scalars(select(Run).where(Run.state.in_(RESULT)).order_by(Run.id)).all():
        yield from _verify_run(run)
    for payee, benefit, runs in db.session.execute(text(_TWICE)):
        said = _(
            "Payee %(payee)s is paid “%(benefit)s” twice, in the runs %(runs)s.",
            payee=payee,
            benefit=benefit,
            runs=runs,
        )
        yield Finding("coverage", said)


def _verify_run(run: Run) -> Iterator[Finding]:
    rows = db.session.execute(_chunks(run)).all()
    chunks = [row for row in rows if row.RunChunk is not None]
    for row in chunks:
        yield from _verify_chunk(run, row)
    kept = (run.candidates, run.paid, run.excluded, run.total_fen)
    sums = tuple(
        sum(getattr(row.RunChunk, name) for row in chunks) for name in ("candidates", "paid", "excluded", "total_fen")
    )
    if kept != sums:
        yield Finding("run", _("Run %(run)s: its totals are not the sum of its parts.", run=run.id))
    if len(chunks) < len(rows):
        yield Finding("coverage", _("Run %(run)s has payments that belong to no part of it.", run=run.id))
    if run.state in BOOKED:
        yield from _verify_returned(run)


def _verify_returned(run: Run) -> Iterator[Finding]:
    """What came back is what the ledger took back; a settled run knows of every line."""
    failed = {key_of(run.id, row.return_id, row.org_id): row for row in db.session.execute(failed_lines(run.id))}
    entries = db.session.execute(
        select(Entry.key, Entry.basis_digest, func.sum(Leg.amount_fen).label("fen"))
        .join(Leg, Leg.entry_id == Entry.id)
        .where(Entry.scope == SCOPE, func.starts_with(Entry.key, f"{run.id}:"), Leg.amount_fen > 0)
        .group_by(Entry.id)
    )
    booked = {entry.key: (int(entry.fen), entry.basis_digest) for entry in entries}
    if booked != {key: (int(row.fen), row.digest) for key, row in failed.items()}:
        yield Finding("run", _("Run %(run)s: what came back is not what the ledger took back.", run=run.id))
    known = db.session.scalars(select(func.count()).where(PaymentResult.run_id == run.id)).one()
    if run.state == "settled" and known != run.paid:
        yield Finding(
            "coverage",
            _(
                "Run %(run)s is settled, but %(count)s of %(lines)s results are known.",
                run=run.id,
                count=known,
                lines=run.paid,
            ),
        )


def _verify_chunk(run: Run, row: Any) -> Iterator[Finding]:
    chunk, entry = row.RunChunk, row.Entry
    where = {"run": run.id, "org": row.name}
    if (row.paid, row.fen) != (chunk.paid, chunk.total_fen):
        said = _(
            "Run %(run)s, %(org)s: its payments come to %(fen)s yuan, the run says %(kept)s yuan.",
            fen=yuan(int(row.fen)),
            kept=yuan(chunk.total_fen),
            **where,
        )
        yield Finding("run", said)
    if chunk.candidates != row.paid + row.excluded:
        yield Finding("coverage", _("Run %(run)s, %(org)s: not every candidate is paid or excluded.", **where))
    if (chunk.digest is not None or run.state in SEALED) and (row.broken or row.digest != chunk.digest):
        said = _(
            "Run %(run)s, %(org)s: the payments are not as they were sealed (%(count)s blocks, from payee %(payee)s).",
            count=row.broken or 0,
            payee=row.first or "-",
            **where,
        )
        yield Finding("run", said)
    if run.state in BOOKED and chunk.total_fen:
        if entry is None or row.entry_fen != row.fen:
            yield Finding("run", _("Run %(run)s, %(org)s: the entry is not the sum of its payments.", **where))
        elif entry.basis_digest != basis_of(run, chunk):
            yield Finding("run", _("Run %(run)s, %(org)s: the entry seals other payments.", **where))


def _chunks(run: Run) -> Select[Any]:
    """Every chunk of the run beside what its lines come to; lines of no chunk are a row without one."""
    blocks = blocks_of(select(Payment).where(Payment.run_id == run.id).subquery("lines")).cte("blocks")
    paid = (
        select(
            blocks.c.chunk_org_id,
            func.sum(blocks.c.lines).label("paid"),
            func.sum(blocks.c.total_fen).label("fen"),
            chunk_digest(blocks.c).label("digest"),
        )
        .group_by(blocks.c.chunk_org_id)
        .subquery("paid")
    )
    broken = _broken_seals(run, blocks)
    excluded = (
        select(Exclusion.chunk_org_id, func.count().label("excluded"))
        .where(Exclusion.run_id == run.id)
        .group_by(Exclusion.chunk_org_id)
        .subquery("not_paid")
    )
    chunks = select(RunChunk).where(RunChunk.run_id == run.id).subquery()
    entry_fen = select(func.sum(Leg.amount_fen)).where(Leg.entry_id == Entry.id, Leg.amount_fen > 0)
    nothing = select(chunk_digest()).where(Seal.run_id.is_(None)).scalar_subquery()
    org_id = func.coalesce(chunks.c.org_id, paid.c.chunk_org_id)
    return (
        select(
            RunChunk,
            Entry,
            Org.name,
            func.coalesce(paid.c.paid, 0).label("paid"),
            func.coalesce(paid.c.fen, 0).label("fen"),
            func.coalesce(paid.c.digest, nothing).label("digest"),
            func.coalesce(excluded.c.excluded, 0).label("excluded"),
            broken.c.broken,
            broken.c.first,
            func.coalesce(entry_fen.scalar_subquery(), 0).label("entry_fen"),
        )
        .select_from(chunks.join(paid, paid.c.chunk_org_id == chunks.c.org_id, full=True))
        .outerjoin(RunChunk, (RunChunk.run_id == run.id) & (RunChunk.org_id == chunks.c.org_id))
        .outerjoin(Org, Org.id == org_id)
        .outerjoin(broken, broken.c.chunk_org_id == org_id)
        .outerjoin(excluded, excluded.c.chunk_org_id == org_id)
        .outerjoin(Entry, Entry.id == RunChunk.entry_id)
        .order_by(Org.code)
        .execution_options(populate_existing=True)
    )


def _broken_seals(run: Run, blocks: Any) -> Subquery:
    """For each chunk: how many blocks are not as sealed, and the first payee of the first of them."""
    seals = select(Seal).where(Seal.run_id == run.id).subquery("seals")
    same = (seals.c.chunk_org_id == blocks.c.chunk_org_id) & (seals.c.no == blocks.c.no)
    chunk_org_id = func.coalesce(seals.c.chunk_org_id, blocks.c.chunk_org_id)
    changed = (
        seals.c.digest.is_distinct_from(blocks.c.digest)
        | seals.c.lines.is_distinct_from(blocks.c.lines)
        | seals.c.total_fen.is_distinct_from(blocks.c.total_fen)
    )
    return (
        select(
            chunk_org_id.label("chunk_org_id"),
            func.count().label("broken"),
            func.min(func.coalesce(seals.c.first_payee_id, blocks.c.first_payee_id)).label("first"),
        )
        .select_from(seals.join(blocks, same, full=True))
        .where(changed)
        .group_by(chunk_org_id)
        .subquery("broken")
    )
