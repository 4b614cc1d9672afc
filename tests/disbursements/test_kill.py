"""A run whose worker is killed, whose queue is emptied and whose database restarts ends as if nothing had happened."""

import random
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from core.config import Settings
from core.disbursements import services
from core.disbursements.models import Candidate, Payment, Run
from core.disbursements.verify_all import checks
from core.extensions import db
from core.jobs.models import Job
from core.ledger.models import BudgetLine
from tests.disbursements.conftest import Campaign, add_people
from tests.faults import empty_redis, kill, restart_postgres
from tests.jobs.conftest import installed, wait_until

pytestmark = pytest.mark.services
Start = Callable[..., psutil.Popen]
PEOPLE = 400
SEED = 20140124


@pytest.fixture
def run(campaign: Campaign) -> Run:
    """A run of some hundred people in three cities, whose scheme takes its time, waiting for a worker."""
    for number, code in enumerate(("610102001", "610202", "6111")):
        add_people(campaign.orgs[code], PEOPLE // 4, first=1_000 * (number + 1))
    campaign.fund(10_000, "6101", "6102", "6111")
    slow = campaign.draft(scheme="aid.slowly")
    services.start_computing(campaign.clerk, slow)
    return slow


@pytest.fixture
def start(worker_process: Start, tmp_path: Path) -> Callable[[], psutil.Popen]:
    """Start two worker processes that know the plugin of these tests."""
    environ = installed(tmp_path, "aid", "tests.disbursements.aid")
    return lambda: worker_process("--processes", "2", environ=environ)


def state(run_id: int) -> str:
    """The run's state in the database now."""
    db.session.rollback()
    return db.session.scalars(select(Run.state).where(Run.id == run_id)).one()


def has_begun(run_id: int) -> bool:
    """Whether a worker has taken the first job."""
    db.session.rollback()
    return db.session.scalar(select(Job.id).where(Job.state != "queued").limit(1)) is not None


def assert_whole(run_id: int) -> None:
    """Everybody is there once, the pool is shared out to the fen, the books are sound."""
    db.session.rollback()
    db.session.expire_all()
    run = db.session.get_one(Run, run_id)
    people = 7 + 3 * (PEOPLE // 4)
    assert (run.candidates, run.paid, run.excluded, run.total_fen) == (people, people, 0, 10_000)
    lines, fen = db.session.execute(
        select(func.count(), func.sum(Payment.amount_fen)).where(Payment.run_id == run_id)
    ).one()
    assert (lines, fen) == (people, 10_000)
    assert db.session.scalars(select(func.sum(BudgetLine.held_fen))).one() == 10_000
    assert db.session.scalars(select(func.count()).select_from(Candidate)).one() == 0
    assert list(checks()) == []


@pytest.mark.parametrize("seed", range(SEED, SEED + 3))
def test_a_worker_killed_at_random_moments_loses_and_doubles_nothing(
    app: Flask, run: Run, start: Callable[[], psutil.Popen], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    run_id = run.id
    for _kill in range(3):
        parent = start()
        wait_until(lambda: has_begun(run_id))
        for _wait in range(chance.randrange(1, 12)):
            if state(run_id) == "computed":
                break
            psutil.wait_procs([parent], timeout=0.05)
        kill(parent)
    start()
    wait_until(lambda: state(run_id) == "computed", 40)
    assert_whole(run_id)


def test_an_emptied_queue_delays_a_run_and_loses_nothing(
    app: Flask, run: Run, start: Callable[[], psutil.Popen], settings: Settings
) -> None:
    run_id = run.id
    empty_redis(settings)
    start()
    wait_until(lambda: has_begun(run_id))
    empty_redis(settings)
    wait_until(lambda: state(run_id) == "computed", 40)
    assert_whole(run_id)


def test_postgresql_restarted_in_the_middle_of_a_run(
    app: Flask, run: Run, start: Callable[[], psutil.Popen], settings: Settings
) -> None:
    run_id = run.id
    start()
    wait_until(lambda: has_begun(run_id))
    db.session.rollback()
    restart_postgres(settings)
    wait_until(lambda: state(run_id) == "computed", 40)
    assert_whole(run_id)
