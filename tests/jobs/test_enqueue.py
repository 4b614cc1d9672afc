"""Asking for a job: what is refused, what is sent, and that nothing is sent for what did not happen."""

import time
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from rq.job import Job as Message
from rq.serializers import JSONSerializer
from sqlalchemy import func, select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.config import load_settings
from core.errors import ConfigError, Refused
from core.extensions import db
from core.jobs.messages import queue_named, redis_of
from core.jobs.models import Job
from core.jobs.services import cancel, enqueue, retry
from core.jobs.timings import Timings
from core.plugin.types import JobSpec
from tests.jobs.conftest import fresh
from tests.jobs.sample_jobs import note

pytestmark = pytest.mark.services


def sent(queue: str = "default") -> list[str]:
    """The RQ ids that wait in Redis."""
    return queue_named(queue, redis_of()).get_job_ids()


def test_an_unknown_name_is_refused_at_once(app: Flask) -> None:
    with pytest.raises(Refused, match="gone"):
        enqueue("gone.work", SYSTEM, "/61/")
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


@pytest.mark.parametrize("value", [(1, 2), {3: "three"}, float, b"bytes"])
def test_arguments_that_json_changes_are_refused(app: Flask, value: Any) -> None:
    with pytest.raises(TypeError):
        enqueue("sample.note", SYSTEM, "/61/", args={"path": value})


@pytest.mark.parametrize("wrong", [{"queue": "slow"}, {"schedule": "every night"}])
def test_a_wrong_queue_or_schedule_is_refused_when_the_plugin_loads(wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="sample"):
        JobSpec(name="sample.note", title="note", func=note, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", ["soon", "0", "-1", "61", "nan"])
def test_a_wrong_heartbeat_is_one_sentence(seconds: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ZHIJIA_JOB_HEARTBEAT"):
        load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_JOB_HEARTBEAT": seconds})


def test_all_timings_follow_from_the_heartbeat(tmp_path: Path) -> None:
    settings = load_settings({"ZHIJIA_INSTANCE": str(tmp_path)})
    timings = Timings(settings.job_heartbeat)
    assert (timings.heartbeat, timings.stale, timings.resend, timings.tick) == (5, 30, 15, 2)
    assert [timings.back_off(attempt) for attempt in (1, 2, 3)] == [5, 10, 20]


def test_nothing_is_sent_before_the_commit_nor_after_a_rollback(app: Flask) -> None:
    enqueue("sample.refuse", SYSTEM, "/61/")
    assert sent() == []
    db.session.rollback()
    db.session.commit()
    assert sent() == []
    assert db.session.scalar(select(func.count()).select_from(Job)) == 0


def test_a_savepoint_that_rolls_back_takes_its_job_along_and_no_other(app: Flask) -> None:
    kept = enqueue("sample.refuse", SYSTEM, "/61/")
    with pytest.raises(LookupError), db.session.begin_nested():
        enqueue("sample.stumble", SYSTEM, "/61/")
        raise LookupError
    with db.session.begin_nested():
        also = enqueue("sample.stumble", SYSTEM, "/61/")
    assert sent() == []
    db.session.commit()
    assert sorted(sent()) == sorted([f"job-{kept.id}-0", f"job-{also.id}-0"])


def test_redis_holds_the_function_and_the_id_only(app: Flask) -> None:
    job = enqueue("sample.money", SYSTEM, "/61/", args={"path": "/secret", "line": "张三"})
    db.session.commit()
    [rq_id] = sent("money")
    message = Message.fetch(rq_id, connection=redis_of(), serializer=JSONSerializer)
    assert (message.func_name, message.args, message.kwargs) == ("core.jobs.run", [job.id], {})
    assert "secret" not in repr(redis_of().hgetall(message.key))
    assert fresh(job.id).sent_at is not None


def test_a_key_makes_one_job_while_it_waits_or_runs(app: Flask) -> None:
    first = enqueue("sample.refuse", SYSTEM, "/61/", key="once")
    assert enqueue("sample.refuse", SYSTEM, "/61/", key="once").id == first.id
    db.session.commit()
    first.state = "running"
    db.session.commit()
    assert enqueue("sample.refuse", SYSTEM, "/61/", key="once").id == first.id
    first.state = "done"
    db.session.commit()
    second = enqueue("sample.refuse", SYSTEM, "/61/", key="once")
    db.session.commit()
    assert second.id != first.id
    assert sent() == [f"job-{first.id}-0", f"job-{second.id}-0"]


def test_with_redis_down_the_row_stays_and_nobody_waits_long(app: Flask, tmp_path: Path) -> None:
    app.extensions["zhijia_redis"] = None
    app.config["ZHIJIA_REDIS_URL"] = f"unix://{tmp_path}/nobody.sock"
    began = time.monotonic()
    job = enqueue("sample.refuse", SYSTEM, "/61/")
    db.session.commit()
    assert time.monotonic() - began < 1
    assert fresh(job.id).state == "queued"


def test_only_a_failed_job_is_retried(app: Flask) -> None:
    job = enqueue("sample.refuse", SYSTEM, "/61/")
    db.session.commit()
    with pytest.raises(Refused):
        retry(SYSTEM, job)


def test_a_retry_is_refused_while_the_same_key_waits(app: Flask) -> None:
    job = enqueue("sample.refuse", SYSTEM, "/61/", key="once")
    job.state = "failed"
    db.session.commit()
    enqueue("sample.refuse", SYSTEM, "/61/", key="once")
    db.session.commit()
    with pytest.raises(Refused):
        retry(SYSTEM, job)
    assert fresh(job.id).state == "failed"


def test_a_retry_begins_anew_is_sent_and_recorded(app: Flask) -> None:
    job = enqueue("sample.refuse", SYSTEM, "/61/")
    job.state, job.attempt, job.error, job.error_detail, job.progress_done = "failed", 3, "why", "how", 7
    db.session.commit()
    redis_of().flushdb()
    retry(SYSTEM, job)
    job = fresh(job.id)
    assert (job.state, job.attempt, job.max_attempts, job.error, job.error_detail) == ("queued", 3, 6, None, None)
    assert job.progress_done == 0
    assert sent() == [f"job-{job.id}-3"]
    line = db.session.scalars(select(AuditLine)).one()
    assert (line.action, line.object, line.org_path) == ("job.retry", f"job:{job.id}", "/61/")


def test_a_job_that_waits_is_cancelled_and_a_running_one_is_not(app: Flask) -> None:
    job = enqueue("sample.refuse", SYSTEM, "/61/")
    db.session.commit()
    cancel(SYSTEM, job)
    assert fresh(job.id).state == "skipped"
    assert "system" in (fresh(job.id).error or "")
    with pytest.raises(Refused):
        cancel(SYSTEM, job)
