"""Paying out: the approved run becomes entries of both ledgers, then files for the banks or lists (``banking``)."""

from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, select

from core.audit.services import record
from core.disbursements import compute
from core.disbursements.models import Run, RunChunk
from core.disbursements.sealing import basis_of, record_digest
from core.errors import Refused
from core.extensions import db
from core.jobs.services import enqueue
from core.ledger import budgets
from core.ledger.posting import Posting, post_entries
from core.ledger.services import Telling, tell_of_entries
from core.money import yuan
from core.org.models import Org
from core.plugin.registry import registry_of
from core.plugin.types import EntryKind
from core.programs.models import ProgramYear
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

#: How a run is paid, as the work ledger says it.
METHODS = {"bank": "实名制发放，银行转账", "cash": "实名制发放，现金签领", "goods": "实名制发放，实物签领"}


@beyond_scope("runs.post")
def post(actor: User, run: Run, effective_on: date) -> None:
    """Post an approved run: one entry a paying union, its budget from held to used, a line of the work ledger.

    Short: it touches chunks, not payments. Raises :class:`Refused` in any other state, for a day in the future or
    before the program year begins, or when the poster made the run.
    """
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    require(actor, "run.post", run.org_path, program_year.program)
    run = compute.locked(run.id)
    if run.state != "approved":
        raise Refused(_("Only an approved run can be posted."))
    if actor.id == run.created_by:
        raise Refused(_("Nobody posts their own work: you made this run."))
    if effective_on > today():
        raise Refused(_("The day of posting lies in the future."), field="effective_on")
    if effective_on < program_year.opens_on:
        begins = program_year.opens_on.isoformat()
        raise Refused(
            _("The program year begins on %(day)s; nothing is posted before.", day=begins), field="effective_on"
        )
    chunks = [(chunk, org) for chunk, org in _chunks(run.id) if chunk.total_fen]
    budgets.use_held(program_year.id, {chunk.org_id: chunk.total_fen for chunk, _org in chunks}, run.source)
    kind = _entry_kind(run)
    run.digest = record_digest(run)
    entries = post_entries(actor, [_posting(run, chunk, kind, effective_on) for chunk, _org in chunks])
    tellings = []
    for (chunk, org), entry in zip(chunks, entries, strict=True):
        chunk.entry_id = entry.id
        result = f"发放 {chunk.paid} 人，{yuan(chunk.total_fen)} 元"
        tellings.append(Telling(entry, org, METHODS[run.form], result, run.title))
    tell_of_entries(actor, tellings)
    run.state, run.effective_on = "posted", effective_on
    run.posted_by, run.posted_at = actor.id, func.now()
    record(actor, "run.post", f"run:{run.id}", run.org_path, total_fen=run.total_fen, entries=len(entries))
    db.session.commit()


@beyond_scope("runs.bank_files")
def start_bank_files(actor: User, run: Run) -> None:
    """Ask a worker to write the bank files of a posted run."""
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    require(actor, "run.post", run.org_path, program_year.program)
    if run.form != "bank":
        raise Refused(_("This run is handed out by lists; no bank is asked."))
    if run.state not in ("posted", "sent"):
        raise Refused(_("Only a posted run goes to the bank."))
    enqueue(
        "disbursements.bank_files",
        actor,
        run.org_path,
        program_year_id=run.program_year_id,
        key=f"run:{run.id}:bank",
        args={"run_id": run.id},
    )
    record(actor, "run.bank_files", f"run:{run.id}", run.org_path)
    db.session.commit()


def _chunks(run_id: int) -> list[tuple[RunChunk, Org]]:
    rows = db.session.execute(
        select(RunChunk, Org).join(Org, Org.id == RunChunk.org_id).where(RunChunk.run_id == run_id).order_by(Org.code)
    )
    return list(rows)


def _entry_kind(run: Run) -> EntryKind:
    registry = registry_of()
    scheme = registry.schemes.get(run.scheme)
    if scheme is None:
        raise Refused(_("The plugin of the scheme %(scheme)s is not loaded.", scheme=run.scheme))
    return registry.entry_kinds[scheme.entry_kind]


def _posting(run: Run, chunk: RunChunk, kind: EntryKind, effective_on: date) -> Posting:
    return Posting(
        scope="run",
        key=f"{run.id}:{chunk.org_id}",
        kind=kind.code,
        title=kind.title_zh,
        description=run.title,
        org_id=chunk.org_id,
        org_path=chunk.org_path,
        program_year_id=run.program_year_id,
        effective_on=effective_on,
        legs=[(kind.debit, chunk.total_fen), (kind.credit, -chunk.total_fen)],
        basis_digest=basis_of(run, chunk),
    )
