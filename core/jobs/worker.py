"""The RQ worker of the house: it forks a process for each job, with no database connection shared between the two."""

import os
from typing import Any

from flask import Flask
from redis import Redis
from rq import Worker
from rq.exceptions import StopRequested
from rq.job import Job as Message
from rq.queue import Queue
from rq.serializers import JSONSerializer

from core.extensions import db
from core.jobs.recovery import take_back


class JobWorker(Worker):
    """Runs messages in the app's context, and gives a job back at once when the process that ran it died."""

    # A worker that finds Redis away tries again within seconds, as jobs wait for it.
    max_connection_wait_time = 5.0

    def __init__(self, app: Flask, queues: list[str], connection: Redis) -> None:
        super().__init__(queues, connection=connection, serializer=JSONSerializer, worker_ttl=60)
        self._app = app
        self._parent = os.getppid()

    def heartbeat(self, *args: Any, **kwargs: Any) -> None:
        """Also ends a worker whose parent is gone: without its clock it must not stay behind."""
        if not self.is_horse and os.getppid() != self._parent:
            raise StopRequested
        super().heartbeat(*args, **kwargs)

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
            take_back(db.engine, int(job_id), int(attempt) + 1)
        self.log.warning("Worker %s: the process that ran %s died", self.name, job.id)
