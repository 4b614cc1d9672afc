"""Running one job: every way it can end, and that only one worker has it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import update

from core.audit.services import SYSTEM
from core.extensions import db
from core.jobs import run
from core.jobs.context import JobContext, JobLost
from core.jobs.models import Job
from core.jobs.runner import GUARD
from core.jobs.services import enqueue
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.users.models import User
from core.wall import beyond_scope
from tests.jobs.conftest import fresh

pytestmark = pytest.mark.services
RunJobs = Callable[[], int]


def ask(name: str, **args: object) -> int:
    """Enqueue and commit; the id."""
    job = enqueue(name, SYSTEM, "/61/", args=args)
    db.session.commit()
    return job.id


def test_a_refusal_fails_at_once_with_its_sentence(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.refuse")
    assert run_jobs() == 1
    job = fresh(job_id)
    assert (job.state, job.error, job.error_detail) == ("failed", "The budget is used up.", None)


def test_a_mistake_fails_with_one_readable_line_and_the_traceback(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.stumble")
    assert run_jobs() == 1
    job = fresh(job_id)
    assert (job.state, job.error) == ("failed", "ValueError: no such thing")
    assert "sample_jobs.py" in (job.error_detail or "")
    assert job.finished_at is not None


def test_wrong_arguments_fail_with_a_reason(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.refuse", surprise=1)
    run_jobs()
    assert "surprise" in (fresh(job_id).error or "")


def test_a_database_that_is_away_is_tried_again_after_a_wait(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.lose_database", until_attempt=2)
    run(job_id)
    job = fresh(job_id)
    assert (job.state, job.attempt, job.sent_at) == ("queued", 1, None)
    assert job.not_before is not None
    run_jobs()
    assert (fresh(job_id).state, fresh(job_id).attempt, fresh(job_id).error) == ("done", 2, None)


def test_the_attempts_have_an_end(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.lose_database", until_attempt=4)
    assert run_jobs() == 3
    job = fresh(job_id)
    assert (job.state, job.attempt) == ("failed", 3)
    assert (job.error or "").startswith("OperationalError")


def test_a_job_whose_plugin_is_gone_fails_and_names_the_plugin(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.refuse")
    registry = registry_of()
    registry.jobs.clear()
    del registry.plugins["sample"]
    run_jobs()
    assert fresh(job_id).state == "failed"
    assert "sample" in (fresh(job_id).error or "")


def test_a_job_whose_plugin_is_quarantined_says_why(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.refuse")
    registry = registry_of()
    registry.jobs.clear()
    registry.failed["sample"] = ImportError("no module named abacus")
    run_jobs()
    assert "abacus" in (fresh(job_id).error or "")


def test_a_program_that_is_off_skips_the_job_with_the_reason(
    app: Flask, run_jobs: RunJobs, program_year_id: int, tmp_path: Path
) -> None:
    asked = []

    def guard(spec: JobSpec, year_id: int) -> str:
        asked.append((spec.name, year_id))
        return "It is off in 2026."

    app.extensions[GUARD] = guard
    path = tmp_path / "notes"
    job = enqueue("sample.of_program", SYSTEM, "/61/", program_year_id=program_year_id, args={"path": str(path)})
    run_jobs()
    assert (fresh(job.id).state, fresh(job.id).error) == ("skipped", "It is off in 2026.")
    assert not path.exists()
    assert asked == [("sample.of_program", program_year_id)]


def test_a_second_message_finds_nothing_to_do(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "notes"
    job_id = ask("sample.note", path=str(path))
    run(job_id)
    run(job_id)
    assert path.read_text() == "system\n"
    assert (fresh(job_id).state, fresh(job_id).attempt) == ("done", 1)


def test_a_message_for_a_job_that_never_was_is_harmless(app: Flask) -> None:
    run(424242)


def test_a_job_of_somebody_acts_as_that_user(
    app: Flask, run_jobs: RunJobs, program_year_id: int, tmp_path: Path
) -> None:
    org_id = 1
    user = User(username="wang", name="王秀英", password_hash="-", org_id=org_id, org_path="/61/")
    db.session.add(user)
    db.session.flush()
    path = tmp_path / "notes"
    enqueue("sample.note", user, "/61/", args={"path": str(path)})
    run_jobs()
    assert path.read_text() == "王秀英\n"


def test_progress_shows_at_once_and_ends_complete(app: Flask, run_jobs: RunJobs, tmp_path: Path) -> None:
    job_id = ask("sample.steps", path=str(tmp_path / "steps"), count=3, seconds=0)
    run_jobs()
    job = fresh(job_id)
    assert (job.state, job.progress_done, job.progress_total, job.message) == ("done", 3, 3, "step 3")


def _claimed(job_id: int, attempt: int) -> JobContext:
    db.session.execute(update(Job).where(Job.id == job_id).values(state="running", attempt=attempt))
    db.session.commit()
    return JobContext(job_id=job_id, attempt=attempt, program_year_id=None, user_id=None, engine=db.engine)


def test_an_attempt_that_was_taken_back_can_neither_hold_nor_report(app: Flask) -> None:
    job_id = ask("sample.refuse")
    old = _claimed(job_id, 1)
    new = _claimed(job_id, 2)
    with pytest.raises(JobLost):
        old.progress(1, 2)
    with pytest.raises(JobLost):
        old.hold()
    new.progress(1, 2)
    new.hold()
    assert fresh(job_id).progress_done == 1


def test_progress_and_heartbeat_go_on_while_the_job_is_held(app: Flask) -> None:
    context = _claimed(ask("sample.refuse"), 1)
    context.hold()
    context.progress(1, 2)


def test_a_lost_attempt_does_not_write_how_it_ended(app: Flask) -> None:
    job_id = ask("sample.note", path="/dev/null")
    spec = registry_of().jobs["sample.note"]

    def lose(context: JobContext, path: str) -> None:
        with beyond_scope("a test"):
            _claimed(job_id, 2)
        context.progress(1, 1)

    registry_of().jobs["sample.note"] = replace(spec, func=lose)
    run(job_id)
    assert (fresh(job_id).state, fresh(job_id).attempt) == ("running", 2)


def test_what_a_job_did_not_commit_is_not_kept(app: Flask, run_jobs: RunJobs) -> None:
    job_id = ask("sample.note", path="/dev/null")
    spec = registry_of().jobs["sample.note"]

    def half(context: JobContext, path: str) -> None:
        with beyond_scope("a test"):
            db.session.execute(update(Job).values(message="never committed"))

    registry_of().jobs["sample.note"] = replace(spec, func=half)
    run_jobs()
    assert (fresh(job_id).state, fresh(job_id).message) == ("done", "")
