"""Reading runs, payments and exclusions within a scope. Lists page by key: the last page costs what the first does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, false, func, or_, select, true, tuple_

from core.disbursements.models import BankFile, Exclusion, Payment, Run, RunApproval, RunChunk
from core.disbursements.payees import payees_of
from core.errors import NotFound
from core.extensions import db
from core.jobs.models import Job
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.users.access import can_anywhere
from core.users.models import User

PAGE = 50
#: States of runs for which somebody waits: who approves, who posts, whoever says what came of the payments.
WAITING = ("submitted", "approved", "posted", "sent")


@dataclass(frozen=True)
class ChunkRow:
    """What one union pays in a run."""

    org: Org
    candidates: int
    paid: int
    excluded: int
    total_fen: int
    state: str
    bank_files: Sequence[BankFile]


@dataclass(frozen=True)
class Totals:
    """Sums over the chunks that somebody may see."""

    candidates: int
    paid: int
    excluded: int
    total_fen: int


@dataclass(frozen=True)
class RunRow:
    """A run in a list, with the sums of what the reader may see of it."""

    run: Run
    paid: int
    total_fen: int


@dataclass(frozen=True)
class Work:
    """What the workers do for a run: whether a job waits or runs, else why the newest one failed, if it did."""

    is_active: bool
    error: str | None


@dataclass(frozen=True)
class PaymentRow:
    """One payee's line; the name as frozen in the run."""

    payee_id: int
    payee_name: str
    account_tail: str
    number: str
    org_name: str
    org_path: str
    amount_fen: int
    quantity: int | None
    basis: str


@dataclass(frozen=True)
class ExclusionRow:
    """One candidate who is not paid."""

    payee_id: int
    name: str
    number: str
    org_name: str
    org_path: str
    reason: str
    note: str


def runs_of(
    program_year: ProgramYear, scope: Scope, *, before: int | None = None, limit: int = PAGE + 1
) -> list[RunRow]:
    """The runs of a program year that reach into the scope, newest first, with the sums within it.

    Those below an id, at most ``limit``: one more than a page, if there is a next one.
    """
    seen = scope.covers(RunChunk.org_path)
    rows = db.session.execute(
        select(Run, func.count(RunChunk.org_id), func.sum(RunChunk.paid), func.sum(RunChunk.total_fen))
        .outerjoin(RunChunk, (RunChunk.run_id == Run.id) & seen)
        .where(Run.program_year_id == program_year.id, true() if before is None else Run.id < before)
        .group_by(Run.id)
        .having(scope.covers(Run.org_path) | (func.count(RunChunk.org_id) > 0))
        .order_by(Run.id.desc())
        .limit(limit)
    )
    return [RunRow(run, int(paid or 0), int(fen or 0)) for run, _chunks, paid, fen in rows]


def work_of(run: Run) -> Work:
    """The background work of a run: computing it, or writing its bank files."""
    jobs = select(Job.state, Job.error).where(
        Job.program_year_id == run.program_year_id, Job.key.startswith(f"run:{run.id}:")
    )
    if db.session.execute(jobs.where(Job.state.in_(("queued", "running"))).limit(1)).first() is not None:
        return Work(True, None)
    newest = db.session.execute(jobs.order_by(Job.id.desc()).limit(1)).first()
    return Work(False, newest.error if newest is not None and newest.state == "failed" else None)


def has_decided(user: User, run: Run) -> bool:
    """Whether the user has approved or returned the run since it was submitted."""
    return db.session.get(RunApproval, (run.id, run.round, user.id)) is not None


def find_run(program_year: ProgramYear, run_id: int, scope: Scope) -> Run:
    """The run, if it belongs to the program year and reaches into the scope; else :class:`NotFound`."""
    run = db.session.get(Run, run_id)
    if run is None or run.program_year_id != program_year.id or not _visible(run, scope):
        raise NotFound(_("There is no such run."))
    return run


def _visible(run: Run, scope: Scope) -> bool:
    if scope.includes(run.org_path):
        return True
    chunk = select(RunChunk.run_id).where(RunChunk.run_id == run.id, scope.covers(RunChunk.org_path)).limit(1)
    return db.session.scalar(chunk) is not None


def chunks_of(run: Run, scope: Scope) -> list[ChunkRow]:
    """What each union pays, within the scope, by code."""
    rows = db.session.execute(
        select(Org, RunChunk)
        .join(RunChunk, RunChunk.org_id == Org.id)
        .where(RunChunk.run_id == run.id, scope.covers(RunChunk.org_path))
        .order_by(Org.code)
    ).all()
    files: dict[int, list[BankFile]] = {}
    mine = select(BankFile).where(BankFile.run_id == run.id, scope.covers(BankFile.org_path))
    for file in db.session.scalars(mine.order_by(BankFile.format)):
        files.setdefault(file.org_id, []).append(file)
    return [
        ChunkRow(org, chunk.candidates, chunk.paid, chunk.excluded, chunk.total_fen, chunk.state, files.get(org.id, ()))
        for org, chunk in rows
    ]


def totals_below(chunks: Sequence[ChunkRow], org: Org | None) -> Totals | None:
    """The sums of the chunks at or below ``org``; none if it is a part of one, as only whole chunks are counted."""
    if org is None:
        return totals_of(chunks)
    below = [chunk for chunk in chunks if chunk.org.path.startswith(org.path)]
    return totals_of(below) if below else None


def totals_of(chunks: Sequence[ChunkRow]) -> Totals:
    """The sums of what is shown, so that nobody learns more from a total than from the list."""
    return Totals(
        sum(chunk.candidates for chunk in chunks),
        sum(chunk.paid for chunk in chunks),
        sum(chunk.excluded for chunk in chunks),
        sum(chunk.total_fen for chunk in chunks),
    )


def approvals_of(run: Run) -> list[tuple[RunApproval, str]]:
    """Every decision on the run with the decider's name, oldest first."""
    rows = db.session.execute(
        select(RunApproval, User.name)
        .join(User, User.id == RunApproval.user_id)
        .where(RunApproval.run_id == run.id)
        .order_by(RunApproval.at)
    )
    return list(rows)


def payments_of(
    run: Run, scope: Scope, *, after: tuple[str, int] | None = None, org: Org | None = None
) -> list[PaymentRow]:
    """A page of payments in order of union and person; ``after`` is the last line's (org path, person id)."""
    payee = payees_of(run).subquery("payee")
    query = (
        select(
            Payment.payee_id,
            Payment.payee_name,
            Payment.account_tail,
            payee.c.number,
            Org.name,
            Payment.org_path,
            Payment.amount_fen,
            Payment.quantity,
            Payment.basis,
        )
        .join(payee, payee.c.id == Payment.payee_id)
        .join(Org, Org.id == Payment.org_id)
        .where(Payment.run_id == run.id)
    )
    return [PaymentRow(*row) for row in db.session.execute(_page(query, Payment, scope, after, org))]


def exclusions_of(
    run: Run, scope: Scope, *, after: tuple[str, int] | None = None, org: Org | None = None, reason: str | None = None
) -> list[ExclusionRow]:
    """A page of exclusions, in the same order; ``reason`` is a code."""
    payee = payees_of(run).subquery("payee")
    query = (
        select(
            Exclusion.payee_id,
            payee.c.name,
            payee.c.number,
            Org.name,
            Exclusion.org_path,
            Exclusion.reason,
            Exclusion.note,
        )
        .join(payee, payee.c.id == Exclusion.payee_id)
        .join(Org, Org.id == Exclusion.org_id)
        .where(Exclusion.run_id == run.id)
    )
    if reason is not None:
        query = query.where(Exclusion.reason == reason)
    return [ExclusionRow(*row) for row in db.session.execute(_page(query, Exclusion, scope, after, org))]


def exclusion_reasons(run: Run, scope: Scope) -> list[tuple[str, int]]:
    """Reason code and number of people, most first."""
    count = func.count()
    rows = db.session.execute(
        select(Exclusion.reason, count)
        .where(Exclusion.run_id == run.id, scope.covers(Exclusion.org_path))
        .group_by(Exclusion.reason)
        .order_by(count.desc())
    )
    return list(rows)


def _page(query: Any, model: type[Payment] | type[Exclusion], scope: Scope, after: Any, org: Org | None) -> Any:
    query = query.where(scope.covers(model.org_path))
    if org is not None:
        query = query.where(Scope((org.path,)).covers(model.org_path))
    if after is not None:
        query = query.where(tuple_(model.org_path, model.payee_id) > after)
    return query.order_by(model.org_path, model.payee_id).limit(PAGE + 1)


def find_bank_file(run: Run, org_code: str, layout: str, scope: Scope) -> tuple[BankFile, Org]:
    """One union's bank file in a run, of this format, or (empty) the first; :class:`NotFound` if it is not theirs."""
    row = db.session.execute(
        select(BankFile, Org)
        .join(Org, Org.id == BankFile.org_id)
        .where(BankFile.run_id == run.id, Org.code == org_code, scope.covers(BankFile.org_path))
        .where(BankFile.format == layout if layout else true())
        .order_by(BankFile.format)
    ).first()
    if row is None:
        raise NotFound(_("There is no such bank file."))
    return row[0], row[1]


def waiting_for(
    user: User, permission: str, condition: Callable[[str], ColumnElement[bool]]
) -> list[tuple[Run, ProgramYear]]:
    """Runs that meet ``condition(program)``, oldest first; none of a year that is off or closed.

    Every page counts them, so it costs no query where the user holds ``permission`` nowhere.
    """
    if not can_anywhere(user, permission):
        return []
    counts = ProgramYear.enabled & ProgramYear.closed_at.is_(None)
    waits = select(ProgramYear.program).join(Run, Run.program_year_id == ProgramYear.id)
    waits = waits.where(Run.state.in_(WAITING), counts)
    mine = [(ProgramYear.program == code) & condition(code) for code in db.session.scalars(waits.distinct())]
    rows = db.session.execute(
        select(Run, ProgramYear)
        .join(ProgramYear, ProgramYear.id == Run.program_year_id)
        .where(counts, or_(false(), *mine))
        .order_by(Run.id)
    )
    return list(rows)
