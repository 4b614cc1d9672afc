"""Computing a run: reserve, fill chunk by chunk, seal. Each step is one transaction and may be run again.

reserve  asks the scheme once, writes down every candidate, and holds the money on the budget lines (or refuses);
fill     copies one chunk's candidates to payments and exclusions, touching no balance: any worker may take a chunk;
seal     finds that nothing is missing and lets the result be seen.

A worker killed anywhere leaves either nothing or a whole step behind, so running the steps again gives the same result.
Nothing here loops over people.
"""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import (
    ColumnElement,
    Select,
    Subquery,
    and_,
    case,
    delete,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    union_all,
)
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from core.disbursements.models import Candidate, Exclusion, Payment, Run, RunChunk
from core.disbursements.rules import ALREADY_PAID, MERGED, NO_AMOUNT, merged_files, paid_before
from core.errors import Refused
from core.extensions import db
from core.ledger import budgets
from core.org.models import Org
from core.org.scope import lies_below, subtree
from core.people.models import Person
from core.plugin.types import Scheme, SchemeContext
from core.programs.models import ProgramYear

#: The advisory lock between asking a scheme and changing who is who.
PEOPLE = 0x70656F706C65


def reserve(run_id: int, scheme: Scheme) -> list[int]:
    """Write down the candidates, make the chunks, hold their money; returns the chunks' org ids.

    A second time it only returns them. Raises :class:`Refused` (nobody to pay, budget too small).
    """
    run = locked(run_id)
    if run.state != "computing":
        return []
    waiting = db.session.scalars(
        select(RunChunk.org_id).where(RunChunk.run_id == run_id, RunChunk.state != "stale").order_by(RunChunk.org_id)
    ).all()
    if waiting:
        return list(waiting)
    clear(run)
    _refresh_statistics()
    hold_people(alone=False)
    context = context_of(run)
    db.session.execute(_insert_candidates(run, scheme.select(context), context))
    db.session.execute(text("ANALYZE core_run_candidate"))
    db.session.execute(_insert_chunks(run))
    totals = chunk_totals(run_id)
    if not totals:
        raise Refused(_("The scheme names nobody in this part of the tree."))
    budgets.hold(run.program_year_id, {org_id: fen for org_id, fen in totals.items() if fen}, run.source)
    db.session.commit()
    return sorted(totals)


def fill(run_id: int, org_id: int) -> None:
    """Write one chunk's payments and exclusions, once. Raises :class:`Refused` if somebody is in two runs at once."""
    run = db.session.get_one(Run, run_id)
    chunk = db.session.get(RunChunk, (run_id, org_id), with_for_update=True, populate_existing=True)
    if chunk is None or chunk.state != "reserved" or run.state != "computing":
        db.session.rollback()
        return
    try:
        db.session.execute(_insert_payments(run, org_id))
        db.session.execute(_insert_exclusions(run_id, org_id))
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(_("Somebody of this run has been put into another run meanwhile; compute again.")) from error
    chunk.state = "filled"
    # Whoever says that this job is done commits after it and waits for the disk; a chunk that a crash takes back is
    # filled again, so that eleven chunks need not wait eleven times.
    db.session.execute(text("SET LOCAL synchronous_commit = off"))
    db.session.commit()


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
    db.session.execute(delete(Candidate).where(Candidate.run_id == run_id))
    db.session.commit()


def clear(run: Run) -> None:
    """Take back a former result in the caller's transaction: holds, chunks, lines.

    Chunks go first: that waits for whoever is filling one, whose lines can then be seen and removed.
    """
    held = {org_id: fen for org_id, fen in chunk_totals(run.id).items() if fen}
    budgets.release(run.program_year_id, held, run.source)
    for model in (RunChunk, Payment, Exclusion, Candidate):
        db.session.execute(delete(model).where(model.run_id == run.id).execution_options(synchronize_session=False))
    run.candidates = run.paid = run.excluded = run.total_fen = 0
    db.session.flush()


def hold_people(*, alone: bool) -> None:
    """Until the end of the transaction nobody is merged or erased; ``alone``: and no scheme is asked who they are.

    Without it a run could name both files of a person while they become one, and neither would see the other.
    """
    lock = func.pg_advisory_xact_lock if alone else func.pg_advisory_xact_lock_shared
    db.session.execute(select(lock(PEOPLE)))


def locked(run_id: int) -> Run:
    """The run, locked and read afresh: every step of a run takes its turn here."""
    return db.session.get_one(Run, run_id, with_for_update=True, populate_existing=True)


def chunk_totals(run_id: int) -> dict[int, int]:
    """Chunk org id -> fen."""
    rows = db.session.execute(select(RunChunk.org_id, RunChunk.total_fen).where(RunChunk.run_id == run_id))
    return dict(rows.all())


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
    )


def paying_level(settings: Mapping[str, Any]) -> str:
    """The level whose union pays from its own budget line."""
    return str(settings.get("paying_level", "city"))


def _payers(run: Run) -> Subquery:
    """Org id -> the union that pays for it: the nearest one of the paying level at or above it, else the run's own."""
    level = paying_level(run.settings)
    own = select(Org.id.label("org_id")).where(subtree(Org.path, run.org_path))
    of_industry = _of_industry(run)
    places = own.union_all(select(of_industry.c.org_id)).subquery("places")
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
    return (
        select(places.c.org_id, payer_id.label("payer_id"))
        .outerjoin(covered, covered.c.org_id == places.c.org_id)
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


def _insert_candidates(run: Run, answer: Select[Any], context: SchemeContext) -> Any:
    named = answer.subquery("named")
    payers = _payers(run)
    paid, merged = paid_before(context), merged_files()
    reason: ColumnElement[Any] = case(
        (named.c.exclude_reason.is_not(None), named.c.exclude_reason),
        (merged.c.person_id.is_not(None), MERGED),
        (paid.c.person_id.is_not(None), ALREADY_PAID),
        (or_(named.c.amount_fen.is_(None), named.c.amount_fen <= 0), NO_AMOUNT),
    )
    rows = (
        select(
            literal(run.id).label("run_id"),
            payers.c.payer_id.label("chunk_org_id"),
            named.c.person_id,
            named.c.org_id,
            named.c.org_path,
            named.c.amount_fen,
            named.c.basis,
            reason.label("exclude_reason"),
        )
        .join(payers, payers.c.org_id == named.c.org_id)
        .outerjoin(paid, paid.c.person_id == named.c.person_id)
        .outerjoin(merged, merged.c.person_id == named.c.person_id)
        .order_by(payers.c.payer_id, named.c.person_id)  # as chunks are read again
    )
    return insert(Candidate).from_select([column.name for column in rows.selected_columns], rows)


def _insert_chunks(run: Run) -> Any:
    paid = Candidate.exclude_reason.is_(None)
    rows = (
        select(
            Candidate.run_id,
            Candidate.chunk_org_id,
            Org.path,
            func.count().label("candidates"),
            func.count().filter(paid).label("paid"),
            func.count().filter(~paid).label("excluded"),
            func.coalesce(func.sum(Candidate.amount_fen).filter(paid), 0).label("total_fen"),
        )
        .join(Org, Org.id == Candidate.chunk_org_id)
        .where(Candidate.run_id == run.id)
        .group_by(Candidate.run_id, Candidate.chunk_org_id, Org.path)
    )
    columns = ["run_id", "org_id", "org_path", "candidates", "paid", "excluded", "total_fen"]
    return insert(RunChunk).from_select(columns, rows)


def _insert_payments(run: Run, org_id: int) -> Any:
    rows = (
        select(
            Candidate.run_id,
            Candidate.person_id,
            literal(run.program_year_id).label("program_year_id"),
            literal(run.item).label("item"),
            Candidate.chunk_org_id,
            Candidate.org_id,
            Candidate.org_path,
            Candidate.amount_fen,
            Candidate.basis,
            Person.name.label("payee_name"),
            func.coalesce(Person.bank_account_tail, "").label("account_tail"),
        )
        .join(Person, Person.id == Candidate.person_id)
        .where(Candidate.run_id == run.id, Candidate.chunk_org_id == org_id, Candidate.exclude_reason.is_(None))
        .order_by(Candidate.person_id)
    )
    return insert(Payment).from_select([column.name for column in rows.selected_columns], rows)


def _insert_exclusions(run_id: int, org_id: int) -> Any:
    rows = select(
        Candidate.run_id,
        Candidate.person_id,
        Candidate.chunk_org_id,
        Candidate.org_id,
        Candidate.org_path,
        Candidate.exclude_reason.label("reason"),
    ).where(Candidate.run_id == run_id, Candidate.chunk_org_id == org_id, Candidate.exclude_reason.is_not(None))
    return insert(Exclusion).from_select([column.name for column in rows.selected_columns], rows)


def _refresh_statistics() -> None:
    """Look at the payments again if a run has added many since anybody did.

    Else the question who was paid already is planned for an empty table, and takes minutes instead of a second.
    """
    if db.session.execute(text(_IS_STALE)).scalar():
        db.session.execute(text("ANALYZE core_payment"))


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
