"""A worker killed in the middle of reading and of merging: the next one ends it, no row twice, none lost."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from core.extensions import db
from core.imports import services
from core.imports.models import Import, ImportRow
from core.jobs.models import Job
from core.people.models import Person
from core.programs.models import ProgramYear
from core.registers.models import RecordChange
from core.users.models import User
from tests.faults import kill
from tests.imports.conftest import HEADINGS, Upload, good_row
from tests.jobs.conftest import installed, wait_until
from tests.plugins_for_tests.reading_club.registers import MEMBERS, Member
from tests.registers.conftest import id_number

pytestmark = pytest.mark.services
Start = Callable[..., psutil.Popen]
#: Every number of ``id_number``, and a wrong kind in every tenth row.
PEOPLE, FILLED = 500, 6_000


def long_list() -> bytes:
    """Five hundred people, then rows of nobody that keep a worker busy."""
    rows = [HEADINGS, *(good_row(number, kind="?" if number % 10 == 9 else "Guest") for number in range(PEOPLE))]
    rows += [[id_number(number % PEOPLE), *good_row(number)[1:]] for number in range(FILLED)]
    return "".join(",".join(map(str, row)) + "\n" for row in rows).encode()


def state(import_id: int) -> str:
    """The state of the import in the database now."""
    db.session.rollback()
    return db.session.scalars(select(Import.state).where(Import.id == import_id)).one()


def runs() -> bool:
    """Whether a worker has a job at this moment."""
    db.session.rollback()
    return db.session.scalar(select(Job.id).where(Job.state == "running").limit(1)) is not None


def end_after_kills(start: Callable[[], psutil.Popen], import_id: int, ended: str, seed: int) -> None:
    """Start workers and kill them at random moments of the work, then let one end it."""
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    for _kill in range(2):
        parent = start()
        wait_until(lambda: runs() or state(import_id) == ended, 30)
        psutil.wait_procs([parent], timeout=chance.random() / 2)
        kill(parent)
    start()
    wait_until(lambda: state(import_id) == ended, 60)


@pytest.mark.parametrize("seed", [20140124, 20140125])
def test_a_killed_worker_loses_and_doubles_nothing(
    app: Flask,
    upload: Upload,
    clerk: User,
    clubs: ProgramYear,
    worker_process: Start,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    environ = installed(tmp_path, "reading_club", "tests.plugins_for_tests.reading_club.plugin")

    def start() -> psutil.Popen:
        return worker_process("--processes", "1", environ=environ)

    monkeypatch.setattr(services, "LARGEST_AT_ONCE", {".csv": 1})
    one = upload(long_list(), "list.csv")
    import_id = one.id
    end_after_kills(start, import_id, "staged", seed)
    db.session.expire_all()
    good = PEOPLE - PEOPLE // 10
    assert db.session.query(ImportRow).count() == PEOPLE + FILLED
    assert one.good + one.bad == PEOPLE + FILLED
    assert one.good >= good
    patient = replace(MEMBERS, import_bad_share=1.0)
    services.start_merge(clerk, one, patient, clubs, only_good=True)
    merged = one.good
    end_after_kills(start, import_id, "merged", seed + 1)
    db.session.expire_all()
    assert one.added == merged == db.session.query(Member).count() == db.session.query(RecordChange).count()
    assert db.session.query(Person).count() == merged
    assert db.session.scalar(select(func.count(func.distinct(Member.person_id)))) == merged
