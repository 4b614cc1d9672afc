"""Old jobs and marks of schedules go; what failed, what is referred to and the last mark of a schedule stay."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from core import bulk
from core.audit.services import SYSTEM
from core.exports.models import Export
from core.extensions import db
from core.jobs.models import Job, ScheduleMark
from core.jobs.services import enqueue
from core.jobs.tidying import KEPT
from core.org.models import Org
from core.users.testing import MakeUser

pytestmark = pytest.mark.services
MINUTE = timedelta(minutes=1)


@pytest.fixture
def ended(app: Flask) -> Callable[..., Job]:
    """``ended(ago, state)`` is a job that ended so long ago."""

    def end(ago: timedelta, state: str = "done") -> Job:
        job = Job(name="sample.count", queue="default", org_path="/61/", state=state, finished_at=func.now() - ago)
        db.session.add(job)
        db.session.commit()
        return job

    return end


def tidy(run_jobs: Callable[[], int]) -> set[int]:
    """The jobs that are there after the nightly one, without itself."""
    nightly = enqueue("jobs.tidy", SYSTEM, "/61/")
    db.session.commit()
    run_jobs()
    assert db.session.get_one(Job, nightly.id).state == "done"
    return set(db.session.scalars(select(Job.id).where(Job.name != "jobs.tidy")))


def test_jobs_go_after_ninety_days_and_failed_ones_stay(
    ended: Callable[..., Job], run_jobs: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "CHUNK", 2)
    kept = {ended(KEPT - MINUTE).id, ended(KEPT + MINUTE, "failed").id, ended(KEPT - MINUTE, "skipped").id}
    for number in range(5):
        ended(KEPT + MINUTE, "skipped" if number % 2 else "done")
    waiting = Job(name="sample.count", queue="default", org_path="/61/", state="running")
    db.session.add(waiting)
    db.session.commit()
    assert tidy(run_jobs) == kept | {waiting.id}


def test_a_job_that_something_refers_to_stays(
    ended: Callable[..., Job], run_jobs: Callable[[], int], make_user: MakeUser, small_tree: dict[str, Org]
) -> None:
    user, named, marked = make_user("clerk"), ended(2 * KEPT), ended(2 * KEPT)
    db.session.add(
        Export(user_id=user.id, org_id=user.org_id, org_path=user.org_path, source="orgs", title="x", kind="csv",
               language="zh", job_id=named.id)
    )  # fmt: skip
    db.session.add(ScheduleMark(name="sample.x", due_at=func.now() - 2 * KEPT, job_id=marked.id))
    db.session.commit()
    assert tidy(run_jobs) == {named.id, marked.id}


def test_the_last_mark_of_each_schedule_stays(
    app: Flask, run_jobs: Callable[[], int], small_tree: dict[str, Org], ended: Callable[..., Job]
) -> None:
    now: datetime = db.session.scalars(select(func.now())).one()
    first = ended(2 * KEPT)
    for name, ago in (("a", KEPT + MINUTE), ("a", KEPT - MINUTE), ("b", 3 * KEPT), ("b", 2 * KEPT)):
        db.session.add(ScheduleMark(name=name, due_at=now - ago, job_id=first.id if ago == 3 * KEPT else None))
    db.session.commit()
    assert tidy(run_jobs) == set()
    left = db.session.execute(select(ScheduleMark.name, ScheduleMark.due_at).order_by(ScheduleMark.name))
    assert [(name, now - due_at) for name, due_at in left] == [("a", KEPT - MINUTE), ("b", 2 * KEPT)]
