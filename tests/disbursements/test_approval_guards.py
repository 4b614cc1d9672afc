"""What the database itself keeps of an approval, and who comes second at the same moment."""

from threading import Barrier, Thread

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core.disbursements.approvals import ALL, Stage
from core.disbursements.models import Run, RunApproval
from core.errors import Refused
from core.extensions import db
from core.tasks.models import Message
from core.users.models import User
from core.users.testing import MakeUser
from core.wall import beyond_scope
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_approvals import CITY, PROVINCE, approve, funded, rule, sent
from tests.disbursements.test_decisions import with_settings

__all__ = ["funded"]
pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_run SET state = 'approved'",
        "UPDATE core_run SET stages = '[]'",
        "UPDATE core_run SET stages = jsonb_set(stages, '{0,n}', '0')",
        "UPDATE core_run SET round = round + 1",
        "UPDATE core_run SET created_by = :other",
        "UPDATE core_run SET submitted_by = :other",
        "INSERT INTO core_run_approval SELECT id, round, created_by, true, '', now(), 1 FROM core_run",
        "INSERT INTO core_run_approval SELECT id, round, submitted_by, true, '', now(), 1 FROM core_run",
        "INSERT INTO core_run_approval SELECT id, round, :first, true, '', now(), 1 FROM core_run",
        "INSERT INTO core_run_approval SELECT id, round, :late, true, '', now(), 2 FROM core_run",
        "INSERT INTO core_run_approval SELECT id, round, :second, true, '', now(), 1 FROM core_run",
        "INSERT INTO core_run_approval SELECT id, round + 1, :second, true, '', now(), 2 FROM core_run",
    ],
)
def test_the_database_keeps_the_stages_by_itself(funded: Campaign, make_user: MakeUser, statement: str) -> None:
    """In the second stage, where all of two are asked, after one of them has approved."""
    first, second = make_user("reviewer", "6101"), make_user("reviewer")
    rule(funded, CITY, Stage(title="会签", level="province", policy=ALL))
    run = sent(funded, "6101")
    approve(first, run)
    approve(funded.reviewer, run)
    people = {"first": first.id, "second": second.id, "late": make_user("reviewer").id, "other": second.id}
    with pytest.raises(DBAPIError, match=r"lacks approvals|pinned|own work|does not wait|pk_core_run_approval"):
        db.session.execute(text(statement), people)
    db.session.rollback()
    approve(second, run)
    assert run.state == "approved"


def test_a_run_sent_again_by_hand_takes_no_approvals_with_it(funded: Campaign, make_user: MakeUser) -> None:
    make_user("reviewer")
    with_settings(funded, approvals_needed=2)
    run = sent(funded)
    approve(funded.reviewer, run)
    db.session.execute(text("UPDATE core_run SET state = 'computed'"))
    with pytest.raises(DBAPIError, match="pinned"):
        db.session.execute(text("UPDATE core_run SET state = 'submitted'"))
    db.session.rollback()
    db.session.execute(text("UPDATE core_run SET state = 'computed'"))
    with pytest.raises(DBAPIError, match="lacks approvals"):
        db.session.execute(text("UPDATE core_run SET state = 'approved'"))


def test_two_who_decide_at_the_same_moment_approve_once(app: Flask, funded: Campaign, make_user: MakeUser) -> None:
    reviewers = [make_user("reviewer").id for _index in range(4)]
    rule(funded, PROVINCE)
    run_id = sent(funded).id
    begin, outcomes = Barrier(len(reviewers)), list[str]()

    def decide(user_id: int) -> None:
        with app.app_context(), beyond_scope("a test"):
            user, run = db.session.get_one(User, user_id), db.session.get_one(Run, run_id)
            begin.wait(10)
            try:
                approve(user, run)
                outcomes.append("approved")
            except Refused:
                outcomes.append("refused")

    threads = [Thread(target=decide, args=(user_id,)) for user_id in reviewers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    db.session.expire_all()
    assert sorted(outcomes) == ["approved", "refused", "refused", "refused"]
    assert db.session.get_one(Run, run_id).state == "approved"
    assert db.session.scalar(select(func.count()).select_from(RunApproval)) == 1
    assert db.session.scalar(select(func.count()).where(Message.kind == "runs.approved")) == 1
