"""The real ``worker.py``, and what can happen to it: killed, Redis emptied or stopped, PostgreSQL restarted."""

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import psutil
import pytest
from flask import Flask
from rq import Queue, Worker
from rq.job import Job as Message
from sqlalchemy import QueuePool, text

from core.audit.services import SYSTEM
from core.config import Settings
from core.embedded import start_redis
from core.extensions import db
from core.jobs.messages import queue_named, redis_of
from core.jobs.services import enqueue
from core.jobs.worker import JobWorker
from tests.faults import restart_postgres
from tests.jobs.conftest import fresh, installed, wait_until

pytestmark = pytest.mark.services
Start = Callable[..., psutil.Popen]
Environ = dict[str, str]


def ask(name: str, **args: object) -> int:
    """Enqueue and commit; the id."""
    job = enqueue(name, SYSTEM, "/61/", args=args)
    db.session.commit()
    return job.id


def lines(path: Path) -> list[str]:
    """The lines that jobs wrote, none yet if there is no file."""
    return path.read_text().splitlines() if path.exists() else []


def steps(path: Path) -> list[str]:
    """The numbers of the steps that were done, in order."""
    return [line.split()[0] for line in lines(path)]


ALL = [str(number) for number in range(1, 11)]


def test_a_wrong_option_is_one_sentence(worker_process: Start, tmp_path: Path) -> None:
    assert worker_process("--queues", "slow").wait(20) == 2
    assert worker_process("--processes", "0").wait(20) == 2
    assert "Traceback" not in (tmp_path / "worker.log").read_text()


def test_a_burst_ends_with_0_when_all_is_done_and_1_when_a_job_failed(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    ids = [ask("sample.note", path=str(tmp_path / "notes"), line=str(number)) for number in range(6)]
    assert worker_process("--burst", environ=with_sample).wait(30) == 0
    assert sorted(lines(tmp_path / "notes")) == [str(number) for number in range(6)]
    assert {fresh(job_id).state for job_id in ids} == {"done"}
    ask("sample.stumble")
    assert worker_process("--burst", environ=with_sample).wait(30) == 1


def test_a_burst_waits_for_jobs_that_redis_does_not_know(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    job_id = ask("sample.lose_database", until_attempt=2)
    redis_of().flushdb()
    assert worker_process("--burst", "--processes", "1", environ=with_sample).wait(30) == 0
    assert (fresh(job_id).state, fresh(job_id).attempt) == ("done", 2)


def test_a_worker_serves_only_its_queues(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    money = ask("sample.money", path=str(tmp_path / "notes"))
    other = ask("sample.note", path=str(tmp_path / "notes"))
    assert worker_process("--burst", "--queues", "money", environ=with_sample).wait(30) == 0
    assert (fresh(money).state, fresh(other).state) == ("done", "queued")


def test_a_job_that_takes_too_long_is_ended(app: Flask, worker_process: Start, with_sample: Environ) -> None:
    job_id = ask("sample.sleep", seconds=60)
    assert worker_process("--burst", environ=with_sample).wait(30) == 1
    assert "1" in (fresh(job_id).error or "")
    assert fresh(job_id).attempt == 1


def test_a_plugin_that_the_worker_lacks_fails_the_job(app: Flask, worker_process: Start) -> None:
    job_id = ask("sample.refuse")
    assert worker_process("--burst").wait(30) == 1
    assert "sample" in (fresh(job_id).error or "")


def _running(job_id: int, path: Path) -> None:
    wait_until(lambda: fresh(job_id).state == "running" and len(lines(path)) >= 2)


def test_no_connection_is_shared_with_the_process_of_a_job(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    db.session.execute(text("SELECT 1"))
    db.session.rollback()
    open_at_fork: list[int] = []

    def fork(_worker: Worker, _job: Message, _queue: Queue) -> None:
        open_at_fork.append(cast(QueuePool, db.engine.pool).checkedin())

    monkeypatch.setattr(Worker, "fork_work_horse", fork)
    assert cast(QueuePool, db.engine.pool).checkedin() > 0
    queue = queue_named("default", redis_of())
    JobWorker(app, ["default"], redis_of()).fork_work_horse(Message(id="job-1-0", connection=redis_of()), queue)
    assert open_at_fork == [0]


def test_a_job_whose_process_is_killed_goes_on_where_it_was(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    path = tmp_path / "steps"
    parent = worker_process("--processes", "1", environ=with_sample)
    job_id = ask("sample.steps", path=str(path), count=10)
    _running(job_id, path)
    [worker] = parent.children()
    [horse] = worker.children()
    horse.kill()
    wait_until(lambda: fresh(job_id).state == "done")
    assert (steps(path), fresh(job_id).attempt) == (ALL, 2)


def test_a_worker_that_is_told_to_stop_while_it_reads_a_message_stops_and_the_next_one_reads_it(
    app: Flask, worker_process: Start, tmp_path: Path
) -> None:
    worker_process("--processes", "1", environ=installed(tmp_path, "untimely", "tests.jobs.untimely"))
    job_id = ask("sample.refuse")
    # That worker has no such plugin: the job fails as soon as it is read.
    wait_until(lambda: fresh(job_id).state == "failed")
    assert "worker ended; starting another" in (tmp_path / "worker.log").read_text()


def test_a_machine_that_is_switched_off_loses_no_job(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    path = tmp_path / "steps"
    parent = worker_process("--processes", "1", environ=with_sample)
    job_id = ask("sample.steps", path=str(path), count=10)
    _running(job_id, path)
    for process in [parent, *parent.children(recursive=True)]:
        process.kill()
    parent.wait(10)
    worker_process("--processes", "1", environ=with_sample)
    wait_until(lambda: fresh(job_id).state == "done")
    assert (steps(path), fresh(job_id).attempt) == (ALL, 2)


def test_a_worker_that_dies_is_replaced(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    worker_process("--processes", "1", environ=with_sample)
    wait_until(lambda: Worker.count(redis_of()) == 1)
    [worker] = Worker.all(redis_of())
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    job_id = ask("sample.note", path=str(tmp_path / "notes"))
    wait_until(lambda: fresh(job_id).state == "done")


def test_a_stop_lets_the_running_job_end(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path
) -> None:
    path = tmp_path / "steps"
    parent = worker_process("--processes", "2", environ=with_sample)
    job_id = ask("sample.steps", path=str(path), count=10)
    _running(job_id, path)
    parent.send_signal(signal.SIGTERM)
    assert parent.wait(20) == 0
    assert (fresh(job_id).state, fresh(job_id).attempt, steps(path)) == ("done", 1, ALL)


def test_jobs_that_redis_lost_are_run(app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path) -> None:
    parent = worker_process("--processes", "1", environ=with_sample)
    path = tmp_path / "steps"
    ids = [ask("sample.steps", path=str(path), count=10), ask("sample.note", path="/dev/null")]
    _running(ids[0], path)
    redis_of().flushdb()
    wait_until(lambda: all(fresh(job_id).state == "done" for job_id in ids))
    assert steps(path) == ALL
    assert parent.is_running()


@pytest.fixture
def own_redis(tmp_path: Path) -> Path:
    """The folder of a Redis that the test may stop."""
    return tmp_path / "r"


@pytest.fixture
def settings(settings: Settings, request: pytest.FixtureRequest) -> Settings:
    """The settings, with a Redis of the test's own where it asks for one."""
    if "own_redis" not in request.fixturenames:
        return settings
    folder: Path = request.getfixturevalue("own_redis")
    request.addfinalizer(lambda: stop_redis(folder))
    return replace(settings, redis_url=start_redis(folder))


def stop_redis(folder: Path) -> None:
    """Stop the test's own Redis, and throw its data away."""
    pid_file = folder / "redis" / "redis.pid"
    if pid_file.exists():
        server = psutil.Process(int(pid_file.read_text()))
        server.kill()
        wait_until(lambda: not server.is_running())
        pid_file.unlink()
    for left in (folder / "redis").rglob("*.aof"):
        left.unlink()


def test_redis_that_stops_and_comes_back_empty_loses_no_job(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path, own_redis: Path
) -> None:
    parent = worker_process("--processes", "1", environ=with_sample)
    path = tmp_path / "steps"
    first = ask("sample.steps", path=str(path), count=10)
    _running(first, path)
    stop_redis(own_redis)
    second = ask("sample.note", path="/dev/null")
    wait_until(lambda: fresh(first).state == "done")
    assert fresh(second).state == "queued"
    start_redis(own_redis)
    wait_until(lambda: fresh(second).state == "done", seconds=30)
    assert steps(path) == ALL
    assert parent.is_running()


def test_a_worker_that_starts_before_redis_waits_and_says_so_once(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path, own_redis: Path
) -> None:
    stop_redis(own_redis)
    job_id = ask("sample.note", path="/dev/null")
    log = tmp_path / "worker.log"
    worker_process("--processes", "1", environ=with_sample)
    wait_until(lambda: "Redis is away" in log.read_text() if log.exists() else False)
    start_redis(own_redis)
    wait_until(lambda: fresh(job_id).state == "done")
    assert log.read_text().count("Redis is away") == 1


def test_postgresql_that_restarts_in_the_middle_of_a_job_loses_nothing(
    app: Flask, worker_process: Start, with_sample: Environ, tmp_path: Path, settings: Settings
) -> None:
    path = tmp_path / "steps"
    parent = worker_process("--processes", "1", environ=with_sample)
    job_id = ask("sample.steps", path=str(path), count=10)
    _running(job_id, path)
    db.session.rollback()
    restart_postgres(settings)
    wait_until(lambda: fresh(job_id).state == "done")
    assert steps(path) == ALL
    assert fresh(job_id).attempt == 2
    assert parent.is_running()
