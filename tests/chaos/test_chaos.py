"""Runs from draft to the bank while processes are killed, the database crashes, the queue is emptied, lines are cut.

``make chaos ARGS="--kills 200 --seed 7"``. Every run must end at the bank with everybody paid once and the books whole.
"""

import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from core.audit.services import SYSTEM
from core.config import ROOT, Settings
from core.disbursements import services
from core.disbursements.models import BankFile, Candidate, Payment, Run
from core.disbursements.queries import work_of
from core.disbursements.verify_all import verify_all
from core.extensions import db
from core.ledger.allotting import fund_from_own
from core.ledger.models import BudgetLine
from core.org.models import Org
from core.programs.services import enable
from core.web.testing import environ_of
from tests.chaos.driver import user_with
from tests.disbursements.conftest import YEAR, Campaign, add_people
from tests.faults import cut_connections, empty_redis, kill, restart_postgres
from tests.jobs.conftest import installed

pytestmark = pytest.mark.timeout(0)
CITIES = ("6101", "6102", "6111")
#: People added in each of three places, and how many there are with those of the campaign.
EACH = 133
PEOPLE = 3 * EACH + 7
FUND = 10_000
#: Of ten faults so many are of each kind.
FAULTS = ("worker", "worker", "worker", "worker", "driver", "driver", "connections", "connections", "redis", "database")
#: Where a fault may meet a run, and how often: computing and writing bank files take the longest.
PHASES = ("draft", "computing", "computed", "submitted", "approved", "posted")
WEIGHTS = (1, 5, 1, 1, 2, 3)
#: A run that has not ended so long after its last fault will not.
PATIENCE = 120.0


class World:
    """The processes that a run needs, and what is done to them."""

    def __init__(self, settings: Settings, folder: Path, seed: int) -> None:
        self.settings, self.chance = settings, random.Random(seed)  # noqa: S311  # not for secrets
        self.environ = environ_of(settings) | installed(folder, "aid", "tests.disbursements.aid")
        self.log = (folder / "chaos.log").open("a")
        self.worker: psutil.Popen | None = None
        self.driver: psutil.Popen | None = None
        self.faults: Counter[str] = Counter()

    def keep_alive(self, run_id: int) -> None:
        """Start whatever is not running."""
        if self.worker is None or not self.worker.is_running() or self.worker.poll() is not None:
            self.worker = self._start(str(ROOT / "worker.py"), "--processes", "2")
        if self.driver is None or not self.driver.is_running() or self.driver.poll() is not None:
            self.driver = self._start("-m", "tests.chaos.driver", str(run_id))

    def fault(self, state: str) -> None:
        """Let something happen; ``state`` is where the run is, for the record."""
        kind = self.chance.choice(FAULTS)
        if kind == "worker" and self.worker:
            kill(self.worker)
        elif kind == "driver" and self.driver:
            kill(self.driver)
        elif kind == "connections":
            cut_connections(self.settings, self.chance)
        elif kind == "redis":
            empty_redis(self.settings)
        else:
            restart_postgres(self.settings)
        self.faults[f"{kind} in {state}"] += 1

    def end(self) -> None:
        """Kill what is left."""
        for process in (self.worker, self.driver):
            if process is not None and process.is_running():
                kill(process)
        self.log.close()

    def _start(self, *arguments: str) -> psutil.Popen:
        return psutil.Popen(
            [sys.executable, *arguments], env=self.environ, cwd=self.settings.instance, stdout=self.log,
            stderr=subprocess.STDOUT,
        )  # fmt: skip


@pytest.fixture
def world(settings: Settings, tmp_path: Path, seed: int) -> Iterator[World]:
    """A world without processes yet."""
    made = World(settings, tmp_path, seed)
    yield made
    made.end()


def test_no_run_is_lost_or_doubled_whatever_is_killed(
    app: Flask, campaign: Campaign, world: World, kills: int, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for number, code in enumerate(("610102001", "610202", "6111")):
        add_people(campaign.orgs[code], EACH, first=1_000 * (number + 1))
    done = runs = 0
    while done < kills:
        run_id = _new_run(YEAR + 1 + runs)
        done += _drive(world, run_id, min(kills - done, world.chance.randrange(4, 9)))
        _assert_whole(run_id)
        runs += 1
        with capsys.disabled():
            sys.stdout.write(f"\nseed {seed}: {done} faults in {runs} runs: {dict(sorted(world.faults.items()))}")


def _new_run(year: int) -> int:
    """A draft of a year of its own, with money. Looks everything up, as breaks have thrown the session away."""
    db.session.remove()
    orgs = {org.code: org for org in db.session.scalars(select(Org))}
    settings = {"pool": FUND, "notice_working_days": 0}
    program_year = enable(SYSTEM, "aid", year, orgs["61"], opens_on=date(2014, 1, 1), settings=settings)
    amounts = {orgs[code].id: FUND for code in CITIES}
    day = date(2014, 1, 1)
    fund_from_own(user_with("finance"), program_year, key="own", amounts=amounts, effective_on=day, description="")
    run = services.create_run(user_with("clerk"), program_year, "aid.slowly", "送温暖", orgs["61"])
    run_id = run.id
    db.session.rollback()
    return run_id


def _drive(world: World, run_id: int, faults: int) -> int:
    """Let the run go its way with so many faults on it, each in a phase that the dice choose; how many it met."""
    met, deadline = 0, time.monotonic() + PATIENCE
    wanted = sorted(world.chance.choices(range(len(PHASES)), WEIGHTS, k=faults), reverse=True)
    while (state := _state(run_id)) != "sent":
        assert time.monotonic() < deadline, f"the run stays {state}: {work_of(db.session.get_one(Run, run_id))}"
        world.keep_alive(run_id)
        reached = PHASES.index(state) if state in PHASES else 0
        if wanted and reached >= wanted[-1]:
            time.sleep(world.chance.uniform(0, 0.3))
            world.fault(_state(run_id))
            wanted.pop()
            met, deadline = met + 1, time.monotonic() + PATIENCE
        time.sleep(0.01)
    if world.driver:
        kill(world.driver)  # it may not have seen yet that there is nothing left to do
    return met


def _state(run_id: int) -> str:
    """Where the run is, however often the database has to be asked."""
    return _patiently(lambda: db.session.scalars(select(Run.state).where(Run.id == run_id)).one())


def _patiently(ask: Callable[[], str]) -> str:
    for _attempt in range(50):
        try:
            db.session.rollback()
            return ask()
        except DBAPIError:
            db.session.remove()
            db.engine.dispose()
            time.sleep(0.1)
    raise AssertionError("the database does not come back")


def _assert_whole(run_id: int) -> None:
    """Everybody once, the pool to the fen, nothing held, a file for each city, sound books."""
    db.session.rollback()
    db.session.expire_all()
    run = db.session.get_one(Run, run_id)
    assert (run.candidates, run.paid, run.excluded, run.total_fen) == (PEOPLE, PEOPLE, 0, FUND)
    lines, fen = db.session.execute(
        select(func.count(), func.sum(Payment.amount_fen)).where(Payment.run_id == run_id)
    ).one()
    assert (lines, fen) == (PEOPLE, FUND)
    used = select(func.sum(BudgetLine.held_fen), func.sum(BudgetLine.used_fen))
    assert db.session.execute(used.where(BudgetLine.program_year_id == run.program_year_id)).one() == (0, FUND)
    files = select(func.count(), func.sum(BankFile.lines), func.sum(BankFile.total_fen))
    assert db.session.execute(files.where(BankFile.run_id == run_id)).one() == (3, PEOPLE, FUND)
    assert db.session.scalars(select(func.count()).select_from(Candidate)).one() == 0
    assert list(verify_all()) == []
