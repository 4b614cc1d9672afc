"""The parent process of ``worker.py``: it runs the clock and keeps a number of workers alive."""

import os
import signal
import sys
import threading
from datetime import datetime
from types import FrameType
from typing import NoReturn

import structlog
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from core.extensions import db
from core.jobs.clock import Clock
from core.jobs.messages import redis_of
from core.jobs.models import Job
from core.jobs.timings import timings_of_app
from core.jobs.worker import JobWorker
from core.wall import beyond_scope

_STOPS = (signal.SIGTERM, signal.SIGINT)
log = structlog.get_logger()


class Supervisor:
    """Runs ``processes`` workers for ``queues`` until it is told to stop or, in a burst, until nothing is left."""

    def __init__(self, app: Flask, *, processes: int, queues: list[str], burst: bool = False) -> None:
        self._app = app
        self._processes = processes
        self._queues = queues
        self._burst = burst
        self._clock = Clock(app)
        self._workers: set[int] = set()
        self._stopping = threading.Event()

    def run(self) -> int:
        """Work; returns the exit code: 1 if a job failed during a burst. SIGTERM or Ctrl-C lets running jobs end."""
        for number in _STOPS:
            signal.signal(number, self._stop)
        with self._app.app_context():
            tick = timings_of_app().tick
        began = self._database_time() if self._burst else None
        while not self._stopping.is_set():
            self._clock.tick()
            self._keep_alive()
            if began is not None and self._nothing_left():
                break
            self._stopping.wait(tick)
        self._end_workers()
        return 1 if began is not None and self._failed_since(began) else 0

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        again = self._stopping.is_set()
        self._stopping.set()
        log.info("stopping at once" if again else "stopping when the running jobs have ended", signal=number)
        if again:
            self._signal_workers()

    def _keep_alive(self) -> None:
        """Start the workers that are missing; wait with that while Redis is away, which the clock has said."""
        for pid in list(self._workers):
            if os.waitpid(pid, os.WNOHANG)[0]:
                self._workers.discard(pid)
                log.warning("worker ended; starting another", pid=pid)
        if len(self._workers) < self._processes and self._redis_answers():
            with self._app.app_context():
                db.engine.dispose()
            redis_of(self._app).connection_pool.disconnect()
            while len(self._workers) < self._processes:
                self._workers.add(self._start_worker())

    def _redis_answers(self) -> bool:
        try:
            return bool(redis_of(self._app).ping())
        except RedisError:
            return False

    def _start_worker(self) -> int:
        """Fork a worker. Signals wait meanwhile, as the child must not take one with its parent's handler."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        pid = os.fork()
        if not pid:
            for number in _STOPS:
                signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        if not pid:
            self._work()
        return pid

    def _work(self) -> NoReturn:
        code = 1
        try:
            JobWorker(self._app, self._queues, redis_of(self._app)).work(logging_level="WARNING")
            code = 0
        except Exception:
            log.exception("worker ended")
        finally:
            sys.stderr.flush()
            os._exit(code)

    def _signal_workers(self) -> None:
        for pid in self._workers:
            os.kill(pid, signal.SIGTERM)

    def _end_workers(self) -> None:
        self._signal_workers()
        for pid in list(self._workers):
            os.waitpid(pid, 0)
            self._workers.discard(pid)

    def _database_time(self) -> datetime:
        with self._app.app_context():
            return db.session.scalars(select(func.now())).one()

    def _nothing_left(self) -> bool:
        left = select(Job.id).where(Job.state.in_(("queued", "running")), Job.queue.in_(self._queues)).limit(1)
        try:
            with self._app.app_context(), beyond_scope("jobs.worker"):
                return db.session.scalars(left).first() is None
        except SQLAlchemyError:
            return False

    def _failed_since(self, began: datetime) -> bool:
        failed = select(Job.id).where(Job.state == "failed", Job.finished_at >= began, Job.queue.in_(self._queues))
        with self._app.app_context(), beyond_scope("jobs.worker"):
            return db.session.scalars(failed.limit(1)).first() is not None
