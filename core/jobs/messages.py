"""The message to the workers: ``core.jobs.run`` and a job id, sent after the commit that made the job.

Redis may be down or lose everything: the row stays, and the clock sends it again. Nothing here raises for that.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import structlog
from flask import Flask, current_app
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Engine, event, func, update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from core.extensions import db
from core.jobs.models import Job
from core.plugin.registry import registry_of
from core.wall import beyond

RUN = "core.jobs.run"
EXTENSION = "zhijia_redis"
#: Time limit of a job that this process does not know, in seconds.
UNKNOWN_PATIENCE = 3600
_WAITING = "jobs to send after commit"
#: The sign that a clock leaves, and for how many seconds it stands for one that runs.
CLOCK, CLOCK_SEEN = "zhijia:clock", 60
log = structlog.get_logger()


class Message(NamedTuple):
    """What is sent for one attempt at a job."""

    job_id: int
    attempt: int
    name: str
    queue: str

    @property
    def rq_id(self) -> str:
        """The same for every copy of one attempt's message, so that a copy already waiting can be found."""
        return f"job-{self.job_id}-{self.attempt}"


#: What an UPDATE or SELECT of jobs returns to make messages of.
COLUMNS = (Job.id, Job.attempt, Job.name, Job.queue)


def redis_of(app: Flask | None = None) -> Redis:
    """The app's Redis; it fails at once where Redis is down, so that no page waits for it."""
    app = app or current_app
    connection: Redis | None = app.extensions.get(EXTENSION)
    if connection is None:
        connection = app.extensions[EXTENSION] = Redis.from_url(
            app.config["ZHIJIA_REDIS_URL"], socket_connect_timeout=2, retry=Retry(NoBackoff(), 1)
        )
    return connection


def leave_sign_of_clock() -> int:
    """Say that a clock runs; raises :class:`redis.exceptions.RedisError`. Returns 0: there was nothing to do."""
    redis_of().set(CLOCK, "1", ex=CLOCK_SEEN)
    return 0


def clock_seen(connection: Redis | None = None) -> bool:
    """Whether some worker's clock ran lately. Raises :class:`redis.exceptions.RedisError`."""
    return bool((connection or redis_of()).exists(CLOCK))


def queue_named(name: str, connection: Redis) -> Queue:
    """The RQ queue, which reads and writes JSON: no pickle comes from Redis."""
    return Queue(name, connection=connection, serializer=JSONSerializer)


def push(messages: Iterable[Message]) -> None:
    """Put messages into Redis, in one round trip a queue. Raises :class:`redis.exceptions.RedisError`."""
    specs = registry_of().jobs
    by_queue: dict[str, list[Any]] = defaultdict(list)
    for message in messages:
        spec = specs.get(message.name)
        by_queue[message.queue].append(
            Queue.prepare_data(
                RUN,
                args=[message.job_id],
                job_id=message.rq_id,
                timeout=spec.patience if spec else UNKNOWN_PATIENCE,
                result_ttl=0,
                failure_ttl=3600,
            )
        )
    for name, data in by_queue.items():
        queue_named(name, redis_of()).enqueue_many(data)


def waiting_ids(queues: Sequence[str]) -> set[str]:
    """The RQ ids of all messages that wait in Redis now."""
    return {rq_id for name in queues for rq_id in queue_named(name, redis_of()).get_job_ids()}


def send_after_commit(job_id: int) -> None:
    """Send the job's message when the current transaction of ``db.session`` commits, not if it rolls back."""
    db.session.info.setdefault(_WAITING, set()).add(job_id)


@event.listens_for(db.session, "after_commit")
def _committed(session: Session) -> None:
    if not session.in_nested_transaction():
        deliver(beyond(db.engine, "jobs.messages"), session.info.pop(_WAITING, ()))


@event.listens_for(db.session, "after_rollback")
def _rolled_back(session: Session) -> None:
    # A savepoint that rolled back needs nothing: its job is not found when the outer transaction commits.
    if not session.in_nested_transaction():
        session.info.pop(_WAITING, None)


def deliver(engine: Engine, job_ids: Iterable[int]) -> None:
    """Mark the queued ones among these jobs as sent, and send them. What fails is logged; the clock sends it later."""
    ids = list(job_ids)
    if not ids:
        return
    marking = update(Job).where(Job.id.in_(ids), Job.state == "queued").values(sent_at=func.clock_timestamp())
    try:
        with engine.begin() as connection:
            messages = [Message(*row) for row in connection.execute(marking.returning(*COLUMNS))]
        push(messages)
    except (RedisError, SQLAlchemyError) as error:
        log.warning("messages not sent; the clock will send them", jobs=len(ids), reason=str(error))
