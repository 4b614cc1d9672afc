"""Running one job: claim the row, call the function under a heartbeat, write down how it ended.

The row is claimed by one UPDATE, so that a second message for it finds nothing to do. Every later write names the
attempt, so that a worker which was taken for dead cannot change what its successor does.
"""

import time
import traceback
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from flask import current_app
from rq.timeouts import JobTimeoutException
from sqlalchemy import Engine, func, update
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from core.audit.origin import act_as_job
from core.discretion import discreet
from core.errors import ZhijiaError
from core.extensions import db
from core.jobs.context import Heartbeat, JobContext, JobLost, of_attempt
from core.jobs.models import Job
from core.jobs.reasons import missing_job, one_line, took_too_long
from core.jobs.timings import Timings, timings_of_app
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.programs.models import ProgramYear
from core.users.access import reach_of, reach_of_orgs
from core.users.models import User
from core.wall import NOTHING, Reach, beyond, beyond_scope, reach_as

#: ``guard(spec, program_year_id)`` -> why the job must not run (its program is off), or None; set by core/programs.
GUARD = "zhijia_job_guard"
log = structlog.get_logger()


@dataclass(frozen=True)
class Claim:
    """One attempt at a job that belongs to this process."""

    id: int
    attempt: int
    name: str
    args: dict[str, Any]
    max_attempts: int
    program_year_id: int | None
    user_id: int | None


@dataclass(frozen=True)
class Outcome:
    """How an attempt ended; ``again`` asks for another one after a wait."""

    state: str
    error: str | None = None
    detail: str | None = None
    again: bool = False


def run(job_id: int) -> None:
    """What a worker calls for a message: run the job if it waits, do nothing if somebody has it. Never raises."""
    with current_app.app_context():
        engine, timings = beyond(db.engine, "jobs.runner"), timings_of_app()
        try:
            claim = _claim(engine, job_id)
        except SQLAlchemyError as error:
            log.warning("job not claimed; the clock will send it again", job=job_id, reason=str(error))
            return
        if claim is None:
            log.info("nothing to do: the job is gone or somebody has it", job=job_id)
            return
        with Heartbeat(engine, claim.id, claim.attempt, timings.heartbeat):
            outcome = _perform(engine, claim)
            if outcome is not None:
                _settle(engine, claim, outcome, timings)


def _claim(engine: Engine, job_id: int) -> Claim | None:
    taking = (
        update(Job)
        .where(Job.id == job_id, Job.state == "queued")
        .values(state="running", attempt=Job.attempt + 1, started_at=func.now(), heartbeat_at=func.now(), error=None)
        .returning(Job.id, Job.attempt, Job.name, Job.args, Job.max_attempts, Job.program_year_id, Job.user_id)
    )
    with engine.begin() as connection:
        row = connection.execute(taking).one_or_none()
    return Claim(*row) if row is not None else None


def _perform(engine: Engine, claim: Claim) -> Outcome | None:
    """Call the job's function; None means that the job is no longer ours."""
    spec = registry_of().jobs.get(claim.name)
    if spec is None:
        return Outcome("failed", missing_job(claim.name))
    context = JobContext(
        job_id=claim.id,
        attempt=claim.attempt,
        program_year_id=claim.program_year_id,
        user_id=claim.user_id,
        engine=engine,
    )
    try:
        reason = _reason_to_skip(spec, claim.program_year_id)
        if reason is not None:
            return Outcome("skipped", reason)
        reach_as(_reach(spec, claim))
        act_as_job(claim.id, claim.program_year_id)
        spec.func(context, **claim.args)
    except JobLost:
        log.warning("job was given to another worker", job=claim.id, attempt=claim.attempt)
        return None
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the job's result and not the worker's end
        return _failure(error, claim, spec)
    finally:
        db.session.remove()
    return Outcome("done")


def _reach(spec: JobSpec, claim: Claim) -> Reach:
    """How far the job sees: everything if it says why, else as far as whoever asked for it, or as the sponsor."""
    if spec.sees_all:
        return Reach(beyond=spec.name)
    with beyond_scope("jobs.runner"):
        program_year = db.session.get(ProgramYear, claim.program_year_id) if claim.program_year_id else None
        user = db.session.get(User, claim.user_id) if claim.user_id else None
        if user is not None:
            return reach_of(user, program_year.program if program_year else None)
    return reach_of_orgs([program_year.org_path]) if program_year is not None else NOTHING


def _reason_to_skip(spec: JobSpec, program_year_id: int | None) -> str | None:
    guard = current_app.extensions.get(GUARD)
    if guard is None:
        return None
    reason: str | None = guard(spec, program_year_id)
    return reason


def _failure(error: Exception, claim: Claim, spec: JobSpec) -> Outcome:
    if isinstance(error, ZhijiaError):
        return Outcome("failed", str(error))
    detail = discreet("".join(traceback.format_exception(error)))
    if isinstance(error, JobTimeoutException):
        return Outcome("failed", took_too_long(spec.patience), detail)
    again = _is_passing(error) and claim.attempt < claim.max_attempts
    return Outcome("queued" if again else "failed", one_line(error), detail, again)


def _is_passing(error: Exception) -> bool:
    """Whether the database was away, restarted, or chose this transaction to break a deadlock."""
    if isinstance(error, OperationalError | InterfaceError):
        return True
    return isinstance(error, DBAPIError) and error.connection_invalidated


def _settle(engine: Engine, claim: Claim, outcome: Outcome, timings: Timings) -> None:
    """Write the end of the attempt, with patience for a database that restarts just now.

    If it stays away, the row keeps its last heartbeat, and the clock takes it back when the database is there again.
    """
    values: dict[str, Any] = {"state": outcome.state, "error": outcome.error, "error_detail": outcome.detail}
    if outcome.again:
        wait = timedelta(seconds=timings.back_off(claim.attempt))
        values |= {"not_before": func.now() + wait, "sent_at": None, "heartbeat_at": None}
    else:
        values |= {"finished_at": func.now(), "not_before": None}
    if outcome.state == "done":
        values["progress_done"] = Job.progress_total
    deadline = time.monotonic() + timings.stale
    while True:
        try:
            with engine.begin() as connection:
                connection.execute(of_attempt(claim.id, claim.attempt).values(**values))
        except SQLAlchemyError as error:
            if time.monotonic() > deadline:
                log.error("the end of a job could not be written", job=claim.id, reason=str(error))
                return
            time.sleep(timings.tick / 2)
        else:
            log.info("job ended", job=claim.id, name=claim.name, state=outcome.state, error=outcome.error)
            return
