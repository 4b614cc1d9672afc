"""What people do with a run: make it, compute it, show it for objections, submit, withdraw, decide, cancel.

Every function takes the acting user, refuses with a sentence, writes its audit line and commits once. Paying out is in
``payout.py``. Days are local (Asia/Shanghai); amounts are fen.
"""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import any_, delete, func, select, update

from core.audit.services import Actor, record
from core.disbursements import approvals, compute
from core.disbursements.differences import forget_former
from core.disbursements.models import Exclusion, Payment, Run, RunApproval, RunChunk
from core.disbursements.payees import hold_accounts, payees_of
from core.disbursements.queries import has_decided
from core.disbursements.sealing import seal_again, unseal
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.jobs.models import Job
from core.jobs.services import enqueue
from core.ledger import budgets
from core.ledger.allotting import known_source
from core.ledger.models import UNION_FUNDS
from core.notices.calendar import add_working_days
from core.org.models import Org
from core.people.models import Person
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

OBJECTION = "objection"
APPROVED = TaskKind(code="runs.approved", title=_l("The run “%(run)s” is approved"), endpoint="runs.show")
RETURNED = TaskKind(code="runs.returned", title=_l("The run “%(run)s” is returned to you"), endpoint="runs.show")
COMPUTABLE = ("draft", "computed", "failed")
CANCELLABLE = ("draft", "computed", "notice", "submitted", "failed")


def create_run(
    actor: User, program_year: ProgramYear, scheme_code: str, title: str, org: Org, source: str = UNION_FUNDS
) -> Run:
    """Make a draft that pays by a scheme in ``org``'s subtree from one source, with the settings of this moment.

    Raises :class:`Refused` if the program is not open, :class:`NotFound` for an unknown scheme or a union that is not
    the sponsor's.
    """
    require(actor, "run.create", org.path, program_year.program)
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; no run can be made."))
    scheme = registry_of().schemes.get(scheme_code)
    if scheme is None or scheme.program != program_year.program:
        raise NotFound(_("This program has no such scheme."))
    if not org.path.startswith(program_year.org_path):
        raise NotFound(_("The sponsor of the program has no such union."))
    if not title.strip():
        raise ZhijiaError(_("Give the run a title."), field="title")
    run = Run(
        program_year_id=program_year.id,
        scheme=scheme.code,
        item=scheme.item,
        source=known_source(source),
        payees=scheme.payees,
        form=scheme.form,
        title=title.strip(),
        org_id=org.id,
        org_path=org.path,
        settings=program_year.settings,
        settings_version=program_year.settings_version,
        created_by=actor.id,
    )
    db.session.add(run)
    db.session.flush()
    record(actor, "run.create", f"run:{run.id}", org.path, scheme=scheme.code, title=run.title, source=run.source)
    db.session.commit()
    return run


@beyond_scope("runs.compute")
def start_computing(actor: User, run: Run) -> None:
    """Ask a worker to compute the run, or to compute it anew; a draft follows the settings as they are now."""
    run = _own(actor, run, "run.create")
    if run.state == "computing" and _being_computed(run.id):
        raise Refused(_("This run is being computed already."))
    _expect(run, *COMPUTABLE, "computing")
    program_year = db.session.get_one(ProgramYear, run.program_year_id)
    if state_of(program_year) != "open":
        raise Refused(_("The program is not open; the run cannot be computed."))
    run.state, run.error = "computing", None
    run.settings, run.settings_version = program_year.settings, program_year.settings_version
    if scheme := registry_of().schemes.get(run.scheme):
        run.purpose, run.period = compute.purpose_of(run, scheme)
    db.session.execute(update(RunChunk).where(RunChunk.run_id == run.id).values(state="stale"))
    enqueue_computing(actor, run)
    record(actor, "run.compute", f"run:{run.id}", run.org_path, settings_version=run.settings_version)
    db.session.commit()


def enqueue_computing(actor: Actor, run: Run) -> None:
    """Ask a worker to compute the run from where it stands; the caller commits."""
    enqueue(
        "disbursements.compute",
        actor,
        run.org_path,
        program_year_id=run.program_year_id,
        key=f"run:{run.id}:compute",
        args={"run_id": run.id},
    )


@beyond_scope("runs.notice")
def start_notice(actor: User, run: Run) -> None:
    """Put the run under public notice for the working days that its settings ask; the day of posting does not count."""
    run = _own(actor, run, "run.create")
    _expect(run, "computed")
    days = int(run.settings.get("notice_working_days", 0))
    if days == 0:
        raise Refused(_("The settings ask for no notice; submit the run."))
    run.notice_from = today()
    run.notice_until = add_working_days(run.notice_from, days)
    run.state = "notice"
    record(actor, "run.notice", f"run:{run.id}", run.org_path, until=run.notice_until.isoformat())
    db.session.commit()


@beyond_scope("runs.object")
def object_to(actor: User, run: Run, payee_id: int, note: str) -> None:
    """Hold back one payee after an objection: the line becomes an exclusion, its money is released."""
    run = _own(actor, run, "run.create")
    _expect(run, "computed", "notice")
    if not note.strip():
        raise ZhijiaError(_("Say what the objection is."), field="note")
    line = db.session.get(Payment, (run.id, payee_id))
    if line is None:
        raise NotFound(_("The run does not pay this person."))
    chunk = db.session.get_one(RunChunk, (run.id, line.chunk_org_id), with_for_update=True)
    db.session.execute(delete(Payment).where(Payment.run_id == run.id, Payment.payee_id == payee_id))
    db.session.add(
        Exclusion(
            run_id=run.id,
            payee_id=payee_id,
            chunk_org_id=line.chunk_org_id,
            org_id=line.org_id,
            org_path=line.org_path,
            reason=OBJECTION,
            note=note.strip(),
        )
    )
    for counted in (run, chunk):
        counted.paid -= 1
        counted.excluded += 1
        counted.total_fen -= line.amount_fen
    chunk.digest = None
    budgets.release(run.program_year_id, {line.chunk_org_id: line.amount_fen}, run.source)
    record(actor, "run.object", f"run:{run.id}", line.org_path, payee_id=payee_id, note=note.strip())
    db.session.commit()


@beyond_scope("runs.submit")
def submit(actor: User, run: Run) -> None:
    """Hand the run on for approval; its stages are pinned and its payees frozen now. Refused while the notice runs.

    Refused too where the rule of the year asks for more people than could decide.
    """
    run = _own(actor, run, "run.create")
    _expect(run, "computed", "notice")
    days = int(run.settings.get("notice_working_days", 0))
    if days and run.notice_until is None:
        raise Refused(_("The settings ask for a notice of %(days)s working days first.", days=days))
    if run.notice_until is not None and today() <= run.notice_until:
        raise Refused(_("The notice runs until %(day)s; submit the run after that.", day=run.notice_until.isoformat()))
    if run.paid == 0:
        raise Refused(_("The run pays nobody."))
    approvals.pin(run, db.session.get_one(ProgramYear, run.program_year_id), actor)
    hold_accounts()
    _freeze_payees(run)
    run.state = "submitted"
    run.round += 1
    run.submitted_by, run.submitted_at = actor.id, func.clock_timestamp()
    details = {"total_fen": run.total_fen, "paid": run.paid, "band_fen": run.band_fen, "stages": run.stages}
    record(actor, "run.submit", f"run:{run.id}", run.org_path, **details)
    db.session.commit()


@beyond_scope("runs.withdraw")
def withdraw(actor: User, run: Run) -> None:
    """Take a submitted run back, so that it can be sent anew; decisions made so far count no more."""
    run = _own(actor, run, "run.create")
    _expect(run, "submitted")
    _open_again(run)
    record(actor, "run.withdraw", f"run:{run.id}", run.org_path, round=run.round, stage=run.stage)
    db.session.commit()


@beyond_scope("runs.decide")
def decide(actor: User, run: Run, *, approve: bool, comment: str, seen: tuple[int, int] | None = None) -> None:
    """Approve the run in the stage it waits in, or return it. Nobody decides on their own run, and nobody twice.

    The last approval of a stage hands on to the next; that of the last one seals the chunks. A return needs a comment
    and opens the run again. ``seen`` is the round and stage that the actor was shown; refused when the run has moved on
    since.
    """
    run = _own(actor, run, "run.approve")
    _expect(run, "submitted")
    if seen is not None and seen != (run.round, run.stage):
        raise Refused(_("The run has moved on meanwhile; look at it again."))
    _refuse_unless_asked(actor, run)
    if not approve and not comment.strip():
        raise ZhijiaError(_("Say why the run is returned."), field="comment")
    decision = {"round": run.round, "stage": run.stage, "comment": comment.strip()}
    db.session.add(RunApproval(run_id=run.id, user_id=actor.id, approved=approve, **decision))
    db.session.flush()
    record(actor, "run.approve" if approve else "run.return", f"run:{run.id}", run.org_path, **decision)
    if not approve:
        _open_again(run)
        _tell_submitter(run, RETURNED)
    elif approvals.is_complete(run):
        _hand_on(run)
    db.session.commit()


@beyond_scope("runs.cancel")
def cancel(actor: User, run: Run) -> None:
    """Give up a run that is not approved yet: its money is free again, its lines are gone, the run stays on record."""
    run = _own(actor, run, "run.create")
    _expect(run, *CANCELLABLE)
    run.state = "cancelled"
    db.session.flush()
    compute.clear(run)
    forget_former(run)
    record(actor, "run.cancel", f"run:{run.id}", run.org_path)
    db.session.commit()


def _own(actor: User, run: Run, permission: str) -> Run:
    """The run, locked, after the permission was checked in its subtree."""
    program = db.session.get_one(ProgramYear, run.program_year_id).program
    require(actor, permission, run.org_path, program)
    return compute.locked(run.id)


def _expect(run: Run, *states: str) -> None:
    if run.state not in states:
        raise Refused(_("The run has moved on meanwhile; look at it again."))


def _open_again(run: Run) -> None:
    run.state = "computed" if run.notice_until is None else "notice"


def _refuse_unless_asked(actor: User, run: Run) -> None:
    if actor.id in (run.created_by, run.submitted_by):
        raise Refused(_("Nobody approves their own work: you made or submitted this run."))
    if has_decided(actor, run):
        raise Refused(_("You have decided on this run already."))
    program = db.session.get_one(ProgramYear, run.program_year_id).program
    if not approvals.may_decide(actor, run, program):
        stage = approvals.stages_of(run)[run.stage - 1]
        raise Refused(_("The run waits in the stage “%(stage)s”, in which you are not asked.", stage=stage.shown))


def _hand_on(run: Run) -> None:
    """To the next stage, or approved after the last one."""
    if run.stage < len(run.stages):
        run.stage += 1
        return
    seal_again(run.id)
    run.state, run.approved_at = "approved", func.now()
    _tell_submitter(run, APPROVED)


def _tell_submitter(run: Run, kind: TaskKind) -> None:
    subject = f"run:{run.id}"
    told = [run.submitted_by] if run.submitted_by else []
    data, address = {"run": run.title}, {"run_id": run.id}
    notify(kind, told, subject, program_year_id=run.program_year_id, data=data, address=address)


def _being_computed(run_id: int) -> bool:
    active = select(Job.id).where(Job.key.startswith(f"run:{run_id}:"), Job.state.in_(("queued", "running")))
    return db.session.scalar(active.limit(1)) is not None


def _freeze_payees(run: Run) -> None:
    """Take names and accounts as they are now: what is approved is what is paid. Few changed since it was computed."""
    payee = payees_of(run).subquery("payee")
    changed = [
        Payment.run_id == run.id,
        payee.c.id == Payment.payee_id,
        (Payment.payee_name != payee.c.name) | (Payment.account_tail != payee.c.account_tail),
    ]
    if run.payees == "people" and run.asked_at is not None:
        since = select(Person.id).where(Person.payee_changed_at >= run.asked_at)
        # An array, for which the few are looked up in the run; of a new run the planner has no figures, and might go
        # through its million lines.
        changed.append(Payment.payee_id == any_(func.array(since.scalar_subquery())))
    # Asked first, as several processors may look for them and only one may write.
    touched = db.session.scalars(select(Payment.chunk_org_id).join(payee, changed[1]).where(*changed).distinct()).all()
    if not touched:
        return
    db.session.execute(
        update(Payment)
        .where(*changed)
        .values(payee_name=payee.c.name, account_tail=payee.c.account_tail)
        .execution_options(synchronize_session=False)
    )
    unseal(run.id, touched)
