"""Asking for background work: the row is written in the caller's transaction, the message goes out after commit."""

import json
from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from core.audit.services import Actor, record
from core.errors import Refused
from core.extensions import db
from core.jobs.messages import send_after_commit
from core.jobs.models import Job
from core.jobs.queries import program_of
from core.jobs.reasons import missing_job
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.users.access import require
from core.wall import beyond_scope

#: How often a key may be found taken and then free again before this gives up; twice would be a rare race.
_KEY_TRIES = 5
#: What a failed job forgets when it is queued again; its attempts go on counting, as they fence off old workers.
_AS_NEW: dict[str, Any] = {
    **{"state": "queued", "progress_done": 0, "progress_total": 0, "message": ""},
    **dict.fromkeys(("error", "error_detail", "not_before", "sent_at", "started_at", "heartbeat_at", "finished_at")),
}


@beyond_scope("jobs.enqueue")
def enqueue(
    name: str,
    actor: Actor,
    org_path: str,
    *,
    program_year_id: int | None = None,
    key: str | None = None,
    args: Mapping[str, Any] | None = None,
) -> Job:
    """Ask for the job ``name``; a worker runs it after the caller commits, and never if the caller rolls back.

    While a job with the same ``key`` waits or runs, that job is returned and no second one is made. ``args`` are ids
    and JSON values. Raises :class:`Refused` for an unknown name, :class:`TypeError` for anything JSON changes.
    """
    spec = _spec(name)
    values = {
        "name": name,
        "queue": spec.queue,
        "args": _json_only(args or {}),
        "key": key,
        "program_year_id": program_year_id,
        "org_path": org_path,
        "max_attempts": spec.max_attempts,
        "user_id": actor.id,
    }
    for _attempt in range(_KEY_TRIES):
        insertion = insert(Job).values(values).on_conflict_do_nothing().returning(Job)
        job = db.session.scalars(insertion).one_or_none()
        if job is not None:
            send_after_commit(job.id)
            return job
        same = select(Job).where(Job.key == key, Job.state.in_(("queued", "running")))
        job = db.session.scalars(same).one_or_none()
        if job is not None:
            return job
    raise Refused(_("The same work is already waiting or running."))


def retry(actor: Actor, job: Job) -> None:
    """Queue a failed job again, with as many attempts as a new one has.

    Raises :class:`Forbidden` without the permission job.retry there, :class:`Refused` if it did not fail.
    """
    require(actor, "job.retry", job.org_path, program_of(job))
    spec = _spec(job.name)
    again = _AS_NEW | {"max_attempts": Job.attempt + spec.max_attempts}
    try:
        moved = _move(job, "failed", again)
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(_("The same work is already waiting or running.")) from error
    if not moved:
        raise Refused(_("Only a failed job can be retried."))
    send_after_commit(job.id)
    record(actor, "job.retry", f"job:{job.id}", job.org_path, name=job.name)
    db.session.commit()


def cancel(actor: Actor, job: Job) -> None:
    """Take back a job that no worker has begun. Raises :class:`Forbidden` and :class:`Refused`."""
    require(actor, "job.retry", job.org_path, program_of(job))
    reason = _("Cancelled by %(name)s.", name=actor.name)
    if not _move(job, "queued", {"state": "skipped", "error": reason, "finished_at": db.func.now()}):
        raise Refused(_("Only a job that still waits can be cancelled."))
    record(actor, "job.cancel", f"job:{job.id}", job.org_path, name=job.name)
    db.session.commit()


def _move(job: Job, state: str, values: Mapping[str, Any]) -> bool:
    """Change the job only if it still is in ``state``: a worker or a second click may have been quicker."""
    change = update(Job).where(Job.id == job.id, Job.state == state).values(**values).returning(Job.id)
    return db.session.execute(change).one_or_none() is not None


def _spec(name: str) -> JobSpec:
    spec = registry_of().jobs.get(name)
    if spec is None:
        raise Refused(missing_job(name))
    return spec


def _json_only(args: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(args)
    if json.loads(json.dumps(plain)) != plain:
        raise TypeError("The arguments of a job must be JSON values that stay the same when read back.")
    return plain
