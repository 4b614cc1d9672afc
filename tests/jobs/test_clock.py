"""The clock: lost messages, lost workers and due times, each put right once, however many clocks look."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Engine, func, select, text, update
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from core.audit.services import SYSTEM
from core.extensions import db
from core.jobs.clock import Clock
from core.jobs.messages import queue_named, redis_of
from core.jobs.models import Job, ScheduleMark
from core.jobs.recovery import resend, take_back, take_back_silent
from core.jobs.schedules import ENABLED_YEARS, enqueue_due, latest_due
from core.jobs.services import enqueue
from core.jobs.timings import Timings
from core.plugin.registry import registry_of
from core.wall import beyond_scope
from tests.jobs.conftest import fresh

pytestmark = pytest.mark.services
#: Everything is overdue at once.
AT_ONCE = Timings(heartbeat=0.0)


def ask(**values: object) -> int:
    """A committed job with some columns set; the id."""
    job_id = enqueue("sample.refuse", SYSTEM, "/61/").id
    if values:
        db.session.execute(update(Job).where(Job.id == job_id).values(**values))
    db.session.commit()
    return job_id


def sent() -> list[str]:
    """The RQ ids that wait in Redis."""
    return queue_named("default", redis_of()).get_job_ids()


def test_a_message_that_waits_is_not_sent_twice(app: Flask) -> None:
    job_id = ask()
    assert resend(db.engine, AT_ONCE) == 0
    assert sent() == [f"job-{job_id}-0"]


def test_a_message_that_redis_lost_is_sent_again_once_for_two_clocks(app: Flask) -> None:
    job_id = ask()
    redis_of().flushdb()
    assert resend(db.engine, Timings()) == 0, "its time has not come"
    assert resend(db.engine, AT_ONCE) == 1
    assert resend(db.engine, AT_ONCE) == 0
    assert sent() == [f"job-{job_id}-0"]


def test_a_row_that_another_clock_holds_is_skipped(app: Flask) -> None:
    job_id = ask(state="running", attempt=1, heartbeat_at=datetime(2020, 1, 1, tzinfo=UTC))
    with db.engine.begin() as other:
        other.execute(select(Job.id).where(Job.id == job_id).with_for_update())
        assert take_back_silent(db.engine, AT_ONCE) == 0
    assert take_back_silent(db.engine, AT_ONCE) == 1


def test_a_wait_between_attempts_is_kept(app: Flask) -> None:
    job_id = ask(not_before=func.now() + timedelta(hours=1), sent_at=None, attempt=1)
    redis_of().flushdb()
    assert resend(db.engine, AT_ONCE) == 0
    db.session.execute(update(Job).where(Job.id == job_id).values(not_before=func.now()))
    db.session.commit()
    assert resend(db.engine, AT_ONCE) == 1
    assert sent() == [f"job-{job_id}-1"]


def test_a_job_with_a_heartbeat_is_left_alone(app: Flask) -> None:
    job_id = ask(state="running", attempt=1, heartbeat_at=func.now())
    assert take_back_silent(db.engine, Timings(heartbeat=5)) == 0
    assert fresh(job_id).state == "running"


def test_a_silent_job_is_queued_again_and_after_the_last_attempt_failed(app: Flask) -> None:
    silent = datetime(2020, 1, 1, tzinfo=UTC)
    again = ask(state="running", attempt=2, max_attempts=3, heartbeat_at=silent)
    ended = ask(state="running", attempt=3, max_attempts=3, heartbeat_at=silent)
    assert take_back_silent(db.engine, AT_ONCE) == 2
    assert (fresh(again).state, fresh(again).sent_at) == ("queued", None)
    assert fresh(ended).state == "failed"
    assert "3" in (fresh(ended).error or "")
    assert fresh(ended).finished_at is not None


def test_nothing_is_taken_back_while_postgresql_has_just_started(app: Flask) -> None:
    ask(state="running", attempt=1, heartbeat_at=datetime(2020, 1, 1, tzinfo=UTC))
    assert take_back_silent(db.engine, Timings(heartbeat=60 * 60 * 24 * 365)) == 0


def test_a_held_job_is_not_taken_back(app: Flask) -> None:
    job_id = ask(state="running", attempt=1, heartbeat_at=datetime(2020, 1, 1, tzinfo=UTC))
    with db.engine.begin() as worker:
        worker.execute(select(Job.id).where(Job.id == job_id).with_for_update(key_share=True, read=True))
        assert take_back_silent(db.engine, AT_ONCE) == 0


def test_only_the_dead_attempt_is_taken_back(app: Flask) -> None:
    job_id = ask(state="running", attempt=2, heartbeat_at=func.now())
    assert take_back(db.engine, job_id, 1) == 0
    assert take_back(db.engine, job_id, 2) == 1


# Schedules


@pytest.fixture
def year_on(app: Flask, program_year_id: int) -> Iterator[int]:
    """The sample's program year, which core/programs would report as on; no other schedule comes due beside it."""
    jobs = registry_of(app).jobs
    for name in [name for name, spec in jobs.items() if spec.schedule and not name.startswith("sample.")]:
        del jobs[name]
    app.extensions[ENABLED_YEARS] = lambda program: [program_year_id] if program == "sample" else []
    yield program_year_id
    del app.extensions[ENABLED_YEARS]


def test_a_cron_line_is_read_in_shanghai() -> None:
    noon = datetime(2026, 11, 21, 4, 0, 1, tzinfo=UTC)
    assert latest_due("0 12 * * *", noon) == noon.replace(second=0)
    assert latest_due("30 12 * * *", noon) == datetime(2026, 11, 20, 4, 30, tzinfo=UTC)


def test_a_new_schedule_waits_for_its_next_time(year_on: int) -> None:
    assert enqueue_due() == 0
    mark = db.session.scalars(select(ScheduleMark)).one()
    assert (mark.name, mark.program_year_id, mark.job_id) == ("sample.nightly", year_on, None)


def _ran_long_ago(year_id: int) -> None:
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    db.session.add(ScheduleMark(name="sample.nightly", program_year_id=year_id, due_at=long_ago))
    db.session.commit()


def test_of_many_missed_times_the_latest_runs_once_with_two_clocks(year_on: int) -> None:
    _ran_long_ago(year_on)
    assert [enqueue_due(), enqueue_due()] == [1, 0]
    job = db.session.scalars(select(Job)).one()
    assert (job.name, job.program_year_id, job.org_path, job.user_id) == ("sample.nightly", year_on, "/61/", None)
    newest = db.session.scalars(select(ScheduleMark).order_by(ScheduleMark.due_at.desc())).first()
    assert newest is not None
    assert newest.job_id == job.id
    assert sent() == [f"job-{job.id}-0"]


def test_clocks_at_the_same_moment_make_one_job(app: Flask, year_on: int) -> None:
    _ran_long_ago(year_on)

    def look() -> int:
        with app.app_context(), beyond_scope("a test"):
            return enqueue_due()

    with ThreadPoolExecutor(4) as clocks:
        assert sum(clocks.map(lambda _clock: look(), range(4))) == 1


def test_a_program_year_that_is_off_has_no_schedule(app: Flask, program_year_id: int) -> None:
    app.extensions[ENABLED_YEARS] = lambda _program: []
    _ran_long_ago(program_year_id)
    assert enqueue_due() == 0


def test_a_schedule_that_fails_leaves_the_clock_running(app: Flask, year_on: int) -> None:
    def broken(program: str) -> list[int]:
        raise LookupError

    app.extensions[ENABLED_YEARS] = broken
    assert enqueue_due() == 0


def test_a_clock_without_redis_still_looks_after_the_database(app: Flask, tmp_path: Path) -> None:
    job_id = ask(state="running", attempt=3, heartbeat_at=datetime(2020, 1, 1, tzinfo=UTC))
    app.extensions["zhijia_redis"] = None
    app.config["ZHIJIA_REDIS_URL"] = f"unix://{tmp_path}/nobody.sock"
    Clock(app).tick()
    assert fresh(job_id).state == "failed"


def test_a_clock_survives_a_database_that_is_away(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(engine: Engine, timings: Timings) -> int:
        raise OperationalError("SELECT 1", {}, Exception("away"))

    monkeypatch.setattr("core.jobs.clock.take_back_silent", away)
    Clock(app).tick()


def test_a_clock_survives_a_database_that_goes_away_within_a_tick(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(engine: Engine, _timings: object) -> int:
        db.session.execute(text("SELECT 1"))
        others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        with engine.connect() as connection:
            connection.execute(text(f"{others} AND pid <> pg_backend_pid()"))
        return 0

    clock = Clock(app)
    monkeypatch.setattr("core.jobs.clock.resend", cut)
    with capture_logs() as logs:
        clock.tick()
    assert [line["event"] for line in logs] == ["PostgreSQL is away; waiting for it"]
