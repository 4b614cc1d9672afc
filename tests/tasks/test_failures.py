"""Who asked for a job that failed for good is told in the inbox, once."""

from datetime import timedelta

import pytest
from sqlalchemy import func

from core.extensions import db
from core.jobs.models import Job
from core.jobs.queries import VIEW
from core.tasks.jobs import FAILURES_TOLD, tell_failures
from core.tasks.kinds import title_of
from core.tasks.models import Message
from core.users.access import can_anywhere
from core.users.models import User
from core.users.testing import AsUser, MakeUser

pytestmark = pytest.mark.services


def failed(user: User | None, name: str = "exports.make", state: str = "failed", days: int = 0) -> Job:
    """A job that ended so many days ago."""
    job = Job(
        name=name, queue="bulk", org_path="/61/", state=state, error="The disk is full.", attempt=3,
        user_id=user.id if user else None, finished_at=func.now() - timedelta(days=days),
    )  # fmt: skip
    db.session.add(job)
    db.session.commit()
    return job


def tell() -> list[tuple[int, str]]:
    """Run the job twice; user and subject of what stands in the inboxes then."""
    tell_failures(None)  # type: ignore[arg-type]  # it asks for nothing
    tell_failures(None)  # type: ignore[arg-type]
    return [(message.user_id, message.subject) for message in db.session.query(Message).order_by(Message.id)]


def test_a_failed_job_is_told_once_for_each_try(make_user: MakeUser, as_user: AsUser) -> None:
    user = make_user("clerk")
    job = failed(user)
    assert tell() == [(user.id, f"job:{job.id}")]
    assert can_anywhere(user, VIEW)
    browser = as_user(user)
    assert "The disk is full." in browser.get("/inbox/").text
    message = db.session.query(Message).one()
    assert title_of(message.kind, message.data) == "“Export a list” has failed: The disk is full."
    assert browser.post(f"/inbox/{message.id}").headers["Location"] == f"/jobs/{job.id}"
    job.attempt = 4
    db.session.commit()
    assert len(tell()) == 2


@pytest.mark.parametrize(
    ("name", "state", "days"),
    [
        ("exports.make", "done", 0),
        ("exports.make", "queued", 0),
        ("exports.make", "failed", FAILURES_TOLD.days),
        ("flows.move", "failed", 0),  # flows say it themselves
    ],
)
def test_nobody_is_told_of_others(make_user: MakeUser, name: str, state: str, days: int) -> None:
    failed(make_user("clerk"), name, state, days)
    assert tell() == []


def test_what_the_clock_asked_for_has_nobody_to_tell(make_user: MakeUser) -> None:
    make_user("clerk")
    failed(None)
    assert tell() == []
