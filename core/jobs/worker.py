"""The RQ worker of the house: it forks a process for each job, with no database connection shared between the two."""

import os
import re
from typing import Any

from flask import Flask
from redis import Redis
from rq import Worker
from rq.exceptions import NoSuchJobError, StopRequested
from rq.job import Job as Message
from rq.queue import Queue
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from core.extensions import db
from core.jobs.messages import RUN
from core.jobs.recovery import take_back
from core.wall import beyond

#: All that is read of a message. What names functions to call or addresses to tell is not among it.
_FIELDS = {
    "created_at", "data", "enqueued_at", "failure_ttl", "last_heartbeat", "origin", "result_ttl", "started_at",
    "status", "timeout", "worker_name",
}  # fmt: skip
_RQ_ID = re.compile(r"job-(\d{1,18})-\d{1,9}")


class OwnMessage(Message):
    """A message as this house sends it. Whoever else can write to Redis makes a worker call nothing: any other message
    is treated as one that is gone.
    """

    def restore(self, raw_data: dict[bytes, bytes]) -> None:
        """Read what Redis holds. Raises :class:`NoSuchJobError` for what is not ours."""
        known = {name: value for name, value in raw_data.items() if name.decode("utf-8", "replace") in _FIELDS}
        number = _RQ_ID.fullmatch(self.id)
        try:
            super().restore(known)
            asked = (self.func_name, self.instance, self.args, self.kwargs)
        except Exception as error:
            raise NoSuchJobError(f"the message {self.id} cannot be read") from error
        if number is None or asked != (RUN, None, [int(number[1])], {}):
            raise NoSuchJobError(f"the message {self.id} is none of ours")


class JobWorker(Worker):
    """Runs messages in the app's context, and gives a job back at once when the process that ran it died.

    It is told to stop by a signal, which RQ answers with an exception wherever the worker is just then. One that meets
    a destructor, or whoever reads a message, gets lost there, and the worker would wait for messages for ever. So the
    signal is only noted, and looked for at every heartbeat.
    """

    # A worker that finds Redis away tries again within seconds, as jobs wait for it.
    max_connection_wait_time = 5.0
    # An idle worker looks up after so many seconds.
    dequeue_timeout = 1

    def __init__(self, app: Flask, queues: list[str], connection: Redis) -> None:
        super().__init__(queues, connection=connection, serializer=JSONSerializer, job_class=OwnMessage, worker_ttl=60)
        self._app = app
        self._parent = os.getppid()

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Also ends a worker that was told to stop and runs no job, and one whose parent is gone: without its clock it
        must not stay behind. A message that it has just read is sent again by the clock.
        """
        told = self._stop_requested and self.get_state() != WorkerStatus.BUSY
        if not self.is_horse and (told or os.getppid() != self._parent):
            raise StopRequested
        super().heartbeat(*args, **kwargs)

    def _shutdown(self) -> None:
        """Note that somebody wants it to stop."""
        self._stop_requested = True

    def fork_work_horse(self, job: Message, queue: Queue) -> None:
        """Close every pooled connection before the fork: parent and child must never talk over the same socket."""
        with self._app.app_context():
            db.engine.dispose()
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Message, queue: Queue) -> None:
        """In the child: run the job in the app's context."""
        with self._app.app_context():
            super().main_work_horse(job, queue)

    def handle_work_horse_killed(self, job: Message, _pid: int, _status: int, _usage: object) -> None:
        """The child died in the middle of a job (killed, out of memory): its row need not wait for the clock."""
        _prefix, job_id, attempt = job.id.split("-")
        with self._app.app_context():
            take_back(beyond(db.engine, "jobs.worker"), int(job_id), int(attempt) + 1)
        self.log.warning("Worker %s: the process that ran %s died", self.name, job.id)
