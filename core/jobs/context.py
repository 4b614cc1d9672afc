"""What a job function is handed: who asked, for which program year, and how to tell how far it is."""

import threading
from dataclasses import dataclass, field

import structlog
from sqlalchemy import Engine, Update, func, select, update
from sqlalchemy.exc import SQLAlchemyError

from core.audit.services import SYSTEM, Actor
from core.extensions import db
from core.jobs.models import Job
from core.users.models import User

log = structlog.get_logger()


class JobLost(Exception):
    """This attempt was taken for dead and the job given to another worker: stop, and write nothing more."""


def of_attempt(job_id: int, attempt: int) -> Update:
    """An UPDATE of the job that finds nothing once the attempt is no longer the current one."""
    return update(Job).where(Job.id == job_id, Job.attempt == attempt, Job.state == "running")


@dataclass(frozen=True, kw_only=True)
class JobContext:
    """One attempt at a job; the first argument of every job function."""

    job_id: int
    attempt: int
    program_year_id: int | None
    user_id: int | None
    engine: Engine = field(repr=False)

    @property
    def actor(self) -> Actor:
        """The user who asked for the job, or :data:`SYSTEM`."""
        user = db.session.get(User, self.user_id) if self.user_id is not None else None
        return user or SYSTEM

    def progress(self, done: int, total: int, message: str = "") -> None:
        """Show how far the job is, at once, whatever the job's own transaction does. Raises :class:`JobLost`."""
        values = {"progress_done": done, "progress_total": total, "message": message}
        with self.engine.begin() as connection:
            change = of_attempt(self.job_id, self.attempt).values(**values, heartbeat_at=func.now())
            if connection.execute(change).rowcount == 0:
                raise JobLost

    def hold(self) -> None:
        """Keep the job with this worker until the current transaction ends. Raises :class:`JobLost` if it is too late.

        Call it in a transaction that must not happen twice: the clock skips a job that is held. Progress and
        heartbeat go on, as they leave the row's key alone.
        """
        mine = select(Job.id).where(Job.id == self.job_id, Job.attempt == self.attempt, Job.state == "running")
        if db.session.execute(mine.with_for_update(key_share=True, read=True)).one_or_none() is None:
            raise JobLost


class Heartbeat(threading.Thread):
    """Says every few seconds, on a connection of its own, that this attempt is alive; a context manager."""

    def __init__(self, engine: Engine, job_id: int, attempt: int, seconds: float) -> None:
        super().__init__(name=f"heartbeat-{job_id}", daemon=True)
        self._engine = engine
        self._beat = of_attempt(job_id, attempt).values(heartbeat_at=func.now())
        self._seconds = seconds
        self._ended = threading.Event()

    def run(self) -> None:
        """Beat until the job ends; a database that is away for a moment is tried again at the next beat."""
        while not self._ended.wait(self._seconds):
            try:
                with self._engine.begin() as connection:
                    connection.execute(self._beat)
            except SQLAlchemyError as error:
                log.warning("heartbeat not written", reason=str(error.__cause__ or error))

    def __enter__(self) -> "Heartbeat":
        self.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ended.set()
        self.join()
