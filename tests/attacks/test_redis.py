"""Somebody who can write to Redis: workers take nothing from there but the number of a job that the database knows."""

import json
import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from flask import Flask
from rq.utils import now, utcformat

from core.audit.services import SYSTEM
from core.extensions import db
from core.jobs.messages import RUN, redis_of
from core.jobs.models import Job
from core.jobs.services import enqueue
from tests.jobs.conftest import plugins as plugins
from tests.jobs.conftest import wait_until
from tests.jobs.conftest import with_sample as with_sample

pytestmark = pytest.mark.services
Start = Callable[..., psutil.Popen]


class Bomb:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self._mark,)


def plant(rq_id: str, data: bytes, **more: str) -> None:
    """Put a message into the queue, as RQ lays it down."""
    redis = redis_of()
    usual = {"created_at": utcformat(now()), "origin": "default", "status": "queued", "timeout": "60"}
    redis.hset(f"rq:job:{rq_id}", "data", zlib.compress(data))
    for name, value in (usual | more).items():
        redis.hset(f"rq:job:{rq_id}", name, value)
    redis.rpush("rq:queue:default", rq_id)
    redis.sadd("rq:queues", "rq:queue:default")


def call(function: str, *args: object, **kwargs: object) -> bytes:
    return json.dumps([function, None, list(args), kwargs]).encode()


def ask(out: Path) -> int:
    """A job of the house that leaves a mark; its number."""
    job = enqueue("sample.note", SYSTEM, "/61/", args={"path": str(out), "line": "done"})
    db.session.commit()
    return job.id


def test_a_forged_message_calls_nothing(
    app: Flask, worker_process: Start, with_sample: dict[str, str], tmp_path: Path
) -> None:
    """Wants to run a program of their own on the worker: by function, by method, by pickle, by a call afterwards, by a
    name that is no job's, by another's number, by what is no message at all. The job behind them all is still done.
    """
    mark = tmp_path / "mark"
    after = {
        "success_callback_name": "os.mkdir",
        "failure_callback_name": "os.mkdir",
        "stopped_callback_name": "os.mkdir",
    }
    plant("job-21-0", call("os.mkdir", str(mark)))
    plant("job-2-0", json.dumps(["touch", f"pathlib.Path:{mark}", [], {}]).encode())
    plant("job-3-0", pickle.dumps(("os.mkdir", None, (str(mark),), {})))
    plant("job-4-0", pickle.dumps(Bomb(mark)))
    plant("job-5-0", call(RUN, 5), meta=str(pickle.dumps(Bomb(mark))), **after)
    plant("job-6-0", call(RUN, 5))
    plant("job-7-0", call(RUN, -7))
    plant("job--8-0", call(RUN, -8))
    plant(f"job-{'9' * 30}-0", call(RUN, int("9" * 30)))
    plant("job-10-0", call(RUN, "10"))
    plant("job-11-0", call(RUN, 11, name="sample.note"))
    plant("job-12-0", call(f"{RUN}.__globals__", 12))
    plant("evil", call(RUN, 13))
    plant("job-14-0", b"\xff\x00{")
    plant("job-15-0", call(RUN, 15), created_at="yesterday")
    plant("job-16-0", call(RUN, 16), timeout="for ever")
    plant("job-17-0", call(RUN, 17), status="evil")
    plant("job-18-0", call(RUN, 18), webhooks='[{"url": "http://127.0.0.1:1/", "events": ["finished"]}]')
    job_id = ask(tmp_path / "out")
    assert worker_process("--burst", "--processes", "1", environ=with_sample).wait(60) == 0
    log = (tmp_path / "worker.log").read_text()
    assert not mark.exists()
    assert (tmp_path / "out").read_text().strip() == "done", log
    assert "Traceback" not in log
    assert db.session.get_one(Job, job_id, populate_existing=True).state == "done"
    assert db.session.query(Job).count() == 1


def test_what_is_sent_twice_or_again_is_done_once(
    app: Flask, worker_process: Start, with_sample: dict[str, str], tmp_path: Path
) -> None:
    """Wants a job of somebody done again, by sending its number once more, also for an attempt to come."""
    job_id = ask(tmp_path / "out")
    for attempt in (0, 1, 2, 3):
        plant(f"job-{job_id}-{attempt}", call(RUN, job_id))
    worker_process("--processes", "1", environ=with_sample)
    # A burst would end with the job; of its own number, the copy is gone with the first.
    wait_until(lambda: (tmp_path / "worker.log").read_text().count("nothing to do") == 3)
    assert (tmp_path / "out").read_text().splitlines() == ["done"]
    assert db.session.get_one(Job, job_id, populate_existing=True).attempt == 1
