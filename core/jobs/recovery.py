"""Jobs whose worker or whose message is gone are found here, from the database alone."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, Interval, bindparam, func, or_, select, update

from core.jobs.messages import COLUMNS, Message, push, redis_of, waiting_ids
from core.jobs.models import Job
from core.jobs.reasons import worker_stopped
from core.jobs.timings import Timings
from core.plugin.types import QUEUES

#: Rows looked at in one go; the next tick takes the next ones.
BATCH = 500


def _ago(seconds: float) -> ColumnElement[datetime]:
    return func.now() - bindparam(None, timedelta(seconds=seconds), Interval)


def resend(engine: Engine, timings: Timings) -> int:
    """Send every due job whose message is not in Redis; returns how many. Raises RedisError.

    A message that still waits in its queue is left alone, so that a long queue does not fill up with copies.
    """
    redis_of().ping()
    # A CTE, as a subquery that locks rows may be run more than once by some plans.
    due = (
        select(Job.id)
        .where(
            Job.state == "queued",
            or_(Job.not_before.is_(None), Job.not_before <= func.now()),
            or_(Job.sent_at.is_(None), Job.sent_at < _ago(timings.resend)),
        )
        .order_by(Job.sent_at.nulls_first(), Job.id)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    marking = update(Job).where(Job.id == due.c.id).values(sent_at=func.now()).returning(*COLUMNS)
    # Sent before the commit: if Redis fails, the marks are undone; a worker that is quicker waits for the row.
    with engine.begin() as connection:
        messages = [Message(*row) for row in connection.execute(marking)]
        waiting = waiting_ids(QUEUES) if messages else set()
        lost = [message for message in messages if message.rq_id not in waiting]
        push(lost)
    return len(lost)


def take_back_silent(engine: Engine, timings: Timings) -> int:
    """Take back the running jobs whose heartbeat stopped; returns how many.

    Nothing is taken back while PostgreSQL itself has just started, as no worker could have written its heartbeat.
    """
    silent = (
        Job.state == "running",
        Job.heartbeat_at < _ago(timings.stale),
        func.pg_postmaster_start_time() < _ago(timings.stale),
    )
    with engine.begin() as connection:
        return _take_back(connection, silent)


def take_back(engine: Engine, job_id: int, attempt: int) -> int:
    """Take back one attempt whose process is known to be dead; 0 if it had ended before."""
    with engine.begin() as connection:
        return _take_back(connection, (Job.id == job_id, Job.attempt == attempt, Job.state == "running"))


def _take_back(connection: Connection, conditions: tuple[ColumnElement[bool], ...]) -> int:
    """Queue the jobs again, or fail those which have no attempt left."""
    found = select(Job.id, Job.attempt, Job.max_attempts).where(*conditions).limit(BATCH)
    rows = connection.execute(found.with_for_update(skip_locked=True)).all()
    for row in rows:
        change = update(Job).where(Job.id == row.id)
        if row.attempt < row.max_attempts:
            change = change.values(state="queued", sent_at=None, not_before=None, heartbeat_at=None)
        else:
            change = change.values(state="failed", error=worker_stopped(row.attempt), finished_at=func.now())
        connection.execute(change)
    return len(rows)
