"""Computing a run: reserve, fill chunk by chunk, seal. Each step is one transaction and may be run again.

reserve  asks the scheme once, writes down every candidate, and holds the money on the budget lines (or refuses);
fill     copies one chunk's candidates to payments and exclusions, touching no balance: any worker may take a chunk;
seal     finds that nothing is missing and lets the result be seen.

A worker killed anywhere leaves either nothing or a whole step behind, so running the steps again gives the same result.
A database that crashes forgets the candidates (migration 0022): then the scheme is asked once more. Nothing here loops
over people.
"""

from flask_babel import gettext as _
from sqlalchemy import Executable, Select, Text, delete, func, insert, literal, select, text
from sqlalchemy.exc import IntegrityError

from core.disbursements.candidates import insert_candidates, insert_chunks
from core.disbursements.differences import keep_former
from core.disbursements.models import Candidate, Exclusion, Payment, Run, RunChunk, Seal
from core.disbursements.sealing import insert_seals, seal_chunk, sealed_columns
from core.errors import Refused
from core.extensions import db
from core.ledger import budgets
from core.plugin.types import Scheme, SchemeContext
from core.programs.models import ProgramYear

#: The advisory lock between asking a scheme and changing who is who (migration 0014 takes it as well).
PEOPLE = 0x70656F706C65
#: What sorting and joining a whole province may take of the database's memory: beyond its default they go to disk.
_WORK_MEM = "256MB"
#: Workers that take the small chunks last come to their end together.
_LARGEST_FIRST = RunChunk.candidates.desc(), RunChunk.org_id


def reserve(run_id: int, scheme: Scheme) -> list[int]:
    """Write down the candidates, make the chunks, hold their money; returns the chunks' org ids, the largest first.

    A second time it only returns them, unless a crash took the candidates of chunks that are not filled. Raises
    :class:`Refused` (nobody to pay, budget too small).
    """
    run = locked(run_id)
    if run.state != "computing":
        return []
    states = select(RunChunk.org_id, RunChunk.state).where(RunChunk.run_id == run_id).order_by(*_LARGEST_FIRST)
    chunks = dict(db.session.execute(states).all())
    if chunks:
        if "stale" in chunks.values():
            keep_former(run)
        elif "reserved" not in chunks.values() or _has_candidates(run_id):
            return list(chunks)
        clear(run)
    _refresh_statistics()
    hold_people(alone=False)
    run.asked_at = db.session.scalar(text(_OLDEST_TRANSACTION))
    context = context_of(run)
    plan_for_everybody()
    db.session.execute(insert_candidates(run, scheme.select(context), context))
    db.session.execute(insert_chunks(run))
    totals = chunk_totals(run_id)
    if not totals:
        raise Refused(_("The scheme names nobody in this part of the tree."))
    budgets.hold(run.program_year_id, {org_id: fen for org_id, fen in totals.items() if fen}, run.source)
    db.session.commit()
    return list(totals)


def fill(run_id: int, org_id: int) -> bool:
    """Write one chunk's payments and exclusions, once; false if its candidates are gone: reserve again.

    Raises :class:`Refused` if somebody is in two runs at once.
    """
    row = db.session.execute(_locked_chunk(run_id, org_id)).one_or_none()
    if row is None:
        db.session.rollback()
        return True
    run, chunk = row
    try:
        if not _share_out(run, chunk):
            db.session.rollback()
            return False
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(_why_not(error)) from error
    # Whoever says that this job is done commits after it and waits for the disk; a chunk that a crash takes back is
    # filled again, so that eleven chunks need not wait eleven times.
    db.session.execute(text("SET LOCAL synchronous_commit = off"))
    db.session.commit()
    return True


def seal(run_id: int) -> None:
    """Once every chunk is filled: count again, write the totals, show the result."""
    run = locked(run_id)
    chunks = db.session.scalars(select(RunChunk).where(RunChunk.run_id == run_id)).all()
    if run.state != "computing" or not chunks or any(chunk.state != "filled" for chunk in chunks):
        db.session.rollback()
        return
    lines, total = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Payment.amount_fen), 0)).where(Payment.run_id == run_id)
    ).one()
    excluded = db.session.scalars(select(func.count()).where(Exclusion.run_id == run_id)).one()
    promised = (sum(c.paid for c in chunks), sum(c.total_fen for c in chunks), sum(c.excluded for c in chunks))
    if (lines, int(total), excluded) != promised:
        raise Refused(_("The lines of the run do not add up to its chunks; compute again."))
    run.candidates, run.paid, run.excluded, run.total_fen = lines + excluded, lines, excluded, int(total)
    run.state, run.error, run.computed_at = "computed", None, func.now()
    db.session.commit()


def clear(run: Run) -> None:
    """Take back a former result in the caller's transaction: holds, chunks, lines.

    Chunks go first: that waits for whoever is filling one, whose lines can then be seen and removed.
    """
    held = {org_id: fen for org_id, fen in chunk_totals(run.id).items() if fen}
    budgets.release(run.program_year_id, held, run.source)
    for model in (RunChunk, Seal, Payment, Exclusion, Candidate):
        db.session.execute(delete(model).where(model.run_id == run.id).execution_options(synchronize_session=False))
    run.candidates = run.paid = run.excluded = run.total_fen = 0
    db.session.flush()


def hold_people(*, alone: bool) -> None:
    """Until the end of the transaction nobody is merged or erased; ``alone``: and no scheme is asked who they are.

    Without it a run could name both files of a person while they become one, and neither would see the other.
    """
    lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
    db.session.execute(select(lock(PEOPLE)))


def plan_for_everybody() -> None:
    """Until the end of the transaction, let the database plan for joining everybody with everybody.

    People and lists lie in the order of their ids, so that merging them reads memory in its order; hash tables of a
    million people miss the cache at each of them, which the planner does not know (3 s instead of 4.2 s at 1,000,000).
    """
    db.session.execute(
        select(func.set_config("work_mem", _WORK_MEM, True), func.set_config("enable_hashjoin", "off", True))
    )


def locked(run_id: int) -> Run:
    """The run, locked and read afresh: every step of a run takes its turn here."""
    return db.session.get_one(Run, run_id, with_for_update=True, populate_existing=True)


def chunk_totals(run_id: int) -> dict[int, int]:
    """Chunk org id -> fen, the largest chunk first."""
    totals = select(RunChunk.org_id, RunChunk.total_fen).where(RunChunk.run_id == run_id)
    return dict(db.session.execute(totals.order_by(*_LARGEST_FIRST)).all())


def context_of(run: Run) -> SchemeContext:
    """What the run's scheme computes with."""
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    return SchemeContext(
        run_id=run.id,
        item=run.item,
        program_year_id=program_year.id,
        year=program_year.year,
        sponsor_path=program_year.org_path,
        org_path=run.org_path,
        settings=run.settings,
        payees=run.payees,
    )


def purpose_of(run: Run, scheme: Scheme) -> tuple[str, str] | tuple[None, None]:
    """What nobody gets twice in which period, as the scheme says; unions and people apart."""
    if scheme.purpose is None:
        return None, None
    context = context_of(run)
    purpose = scheme.purpose if run.payees == "people" else f"{run.payees}:{scheme.purpose}"
    return purpose, scheme.period(context) if scheme.period else str(context.year)


def _has_candidates(run_id: int) -> bool:
    """A crash takes all candidates or none."""
    return db.session.scalar(select(Candidate.payee_id).where(Candidate.run_id == run_id).limit(1)) is not None


def _locked_chunk(run_id: int, org_id: int) -> Select[Run, RunChunk]:
    """The run and the chunk, locked, if it waits to be filled."""
    return (
        select(Run, RunChunk)
        .join(RunChunk, RunChunk.run_id == Run.id)
        .where(Run.id == run_id, Run.state == "computing", RunChunk.org_id == org_id, RunChunk.state == "reserved")
        .with_for_update(of=RunChunk)
        .execution_options(populate_existing=True)
    )


def _share_out(run: Run, chunk: RunChunk) -> bool:
    """Share a chunk's candidates out to payments and exclusions, and seal it; false if they are gone."""
    if chunk.paid:
        db.session.execute(_insert_payments(run, chunk.org_id))
    if chunk.excluded:
        db.session.execute(_insert_exclusions(run.id, chunk.org_id))
    here = Candidate.run_id == run.id, Candidate.chunk_org_id == chunk.org_id
    if db.session.connection().execute(delete(Candidate).where(*here)).rowcount == 0:
        return False
    db.session.execute(seal_chunk(run.id, chunk.org_id))
    return True


def _insert_payments(run: Run, org_id: int) -> Executable:
    """The payments of a chunk, and their seals in the same statement, while the lines are at hand."""
    rows = (
        select(
            Candidate.run_id,
            Candidate.payee_id,
            literal(run.program_year_id).label("program_year_id"),
            literal(run.item).label("item"),
            Candidate.chunk_org_id,
            Candidate.org_id,
            Candidate.org_path,
            Candidate.amount_fen,
            Candidate.quantity,
            Candidate.basis,
            Candidate.payee_name,
            Candidate.account_tail,
            literal(run.purpose, Text).label("purpose"),
            literal(run.period, Text).label("period"),
        )
        .where(Candidate.run_id == run.id, Candidate.chunk_org_id == org_id, Candidate.exclude_reason.is_(None))
        .order_by(Candidate.payee_id)
    )
    added = insert(Payment).from_select([column.name for column in rows.selected_columns], rows)
    return insert_seals(added.returning(*sealed_columns()).cte("lines"))


def _insert_exclusions(run_id: int, org_id: int) -> Executable:
    rows = select(
        Candidate.run_id,
        Candidate.payee_id,
        Candidate.chunk_org_id,
        Candidate.org_id,
        Candidate.org_path,
        Candidate.exclude_reason.label("reason"),
        func.coalesce(Candidate.note, "").label("note"),
    ).where(Candidate.run_id == run_id, Candidate.chunk_org_id == org_id, Candidate.exclude_reason.is_not(None))
    return insert(Exclusion).from_select([column.name for column in rows.selected_columns], rows)


def _why_not(error: IntegrityError) -> str:
    """A sentence for what the database refuses: the names of its constraints tell the cases apart."""
    said = str(error.orig)
    if "pk_core_payment" in said or "pk_core_exclusion" in said:
        return str(_("The scheme names somebody twice; tell whoever keeps its plugin."))
    if "that there is not" in said:
        return str(_("A union or a payee of this run has changed meanwhile; compute again."))
    return str(_("Somebody of this run has been put into another run meanwhile; compute again."))


def _refresh_statistics() -> None:
    """Look at the payments again if a run has added many since anybody did.

    Else the question who was paid already is planned for an empty table, and takes minutes instead of a second.
    """
    if db.session.execute(text(_IS_STALE)).scalar():
        db.session.execute(text("ANALYZE core_payment"))


#: What is changed by a transaction that is not seen yet is marked with a later time than this (migration 0025).
_OLDEST_TRANSACTION = "SELECT min(xact_start) FROM pg_stat_activity WHERE datname = current_database()"
_IS_STALE = """
SELECT n_mod_since_analyze > 10000 + n_live_tup / 10 FROM pg_stat_user_tables WHERE relname = 'core_payment'
"""


def mark_failed(run_id: int, reason: str) -> None:
    """Write down why computing stopped, and take back what it held, so that it can be started again."""
    db.session.rollback()
    run = locked(run_id)
    if run.state == "computing":
        clear(run)
        run.state, run.error = "failed", reason
    db.session.commit()
