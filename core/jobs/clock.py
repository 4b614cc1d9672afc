"""The clock of ``worker.py``: every few seconds it puts right what a lost message or a lost worker left behind.

Any number of clocks may run: they skip the rows that another one holds, and a due time is a unique row.
"""

from collections.abc import Callable

import structlog
from flask import Flask
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from core.extensions import db
from core.jobs.messages import leave_sign_of_clock
from core.jobs.recovery import resend, take_back_silent
from core.jobs.schedules import enqueue_due
from core.jobs.timings import timings_of_app
from core.wall import Reach, reach_as

log = structlog.get_logger()


class Clock:
    """Looks around at every :meth:`tick`. It says once that a server is away, and once that it is back."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._away: set[str] = set()

    def tick(self) -> None:
        """Take back, enqueue what is due, send what is waiting. Never raises because a server is away."""
        try:
            with self._app.app_context():
                reach_as(Reach(beyond="jobs.clock"))
                engine, timings = db.engine, timings_of_app()
                self._watch("PostgreSQL", lambda: take_back_silent(engine, timings), "jobs taken back")
                self._watch("PostgreSQL", enqueue_due, "jobs made by schedules")
                self._watch("Redis", leave_sign_of_clock, "")
                self._watch("Redis", lambda: resend(engine, timings), "messages sent by the clock")
        except SQLAlchemyError as error:  # PostgreSQL went away before the session of this tick was given back
            self._is_away("PostgreSQL", error)

    def _watch(self, server: str, work: Callable[[], int], what: str) -> None:
        try:
            count = work()
        except (RedisError, SQLAlchemyError) as error:
            self._is_away("Redis" if isinstance(error, RedisError) else "PostgreSQL", error)
            return
        if server in self._away:
            log.info(f"{server} is back")
            self._away.discard(server)
        if count:
            log.info(what, count=count)

    def _is_away(self, server: str, error: Exception) -> None:
        if server not in self._away:
            log.warning(f"{server} is away; waiting for it", reason=str(error))
        self._away.add(server)
