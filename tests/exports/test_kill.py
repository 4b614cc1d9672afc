"""A worker killed in the middle of an export: the next one begins anew, each row is there once and none is lost."""

import random
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select, update

from core import scratch
from core.config import Settings
from core.exports import services
from core.exports.models import Export
from core.exports.queries import named_keys
from core.exports.sources import source_of
from core.extensions import db
from core.files import jobs as file_jobs
from core.files.jobs import remove_strays
from core.jobs.models import Job
from core.lists.queries import Asked
from core.org.models import Org
from core.people.listing import PEOPLE
from core.people.making import make_people
from core.people.models import Person
from core.people.purposes import Purpose
from core.registers.sheets import read_rows
from core.tasks.models import Message
from core.users.models import User
from core.users.testing import MakeUser
from tests.exports.conftest import unlocked
from tests.faults import kill
from tests.jobs.conftest import wait_until

pytestmark = pytest.mark.services
#: Three signs of how far it is, and a rest.
COUNT = 3 * services.STEP + 500


@pytest.fixture
def plugins() -> dict[str, object]:
    """None is needed."""
    return {}


@pytest.fixture
def leader(small_tree: dict[str, Org], make_user: MakeUser) -> User:
    """Somebody who may see thirty thousand people."""
    user = make_user("leader", "61")
    make_people(user, COUNT, 2014, small_tree["61"])
    return user


def progress(export: Export) -> int:
    """How many lines the worker says that it has written; the whole when the file is there."""
    db.session.rollback()
    done = select(Job.progress_done).where(
        Job.id == select(Export.job_id).where(Export.id == export.id).scalar_subquery()
    )
    return COUNT if is_made(export) else db.session.scalars(done).one()


def is_made(export: Export) -> bool:
    """Whether the file is there."""
    db.session.rollback()
    return db.session.scalar(select(Export.id).where(Export.id == export.id, Export.key.is_not(None))) is not None


@pytest.mark.parametrize("kind", ["xlsx", "csv"])
def test_a_killed_worker_leaves_one_file_with_every_row_once(
    app: Flask, settings: Settings, leader: User, worker_process: Callable[..., psutil.Popen], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, kind: str,
) -> None:  # fmt: skip
    chance = random.Random(kind)  # noqa: S311  # not for secrets
    columns = [column for column in PEOPLE.columns if column.name in ("name", "id_number", "org")]
    source = source_of(leader, PEOPLE.code, None)
    export = services.ask(leader, source, None, Asked(args={}), columns, kind, Purpose("report"))
    outside = tmp_path / "outside"
    outside.mkdir()
    for least in (1, services.STEP):
        parent = worker_process("--processes", "1", environ={"TMPDIR": str(outside)})
        wait_until(lambda least=least: progress(export) >= least, 60)  # type: ignore[misc]
        psutil.wait_procs([parent], timeout=chance.random() / 10)
        kill(parent)
        db.session.execute(update(Job).values(progress_done=0))  # so that the next wait is for the next worker
        db.session.commit()
        assert not is_made(export), "the export was over before the worker was killed"
    worker_process("--processes", "1")
    wait_until(lambda: is_made(export), 60)
    db.session.expire_all()
    assert db.session.get_one(Job, export.job_id).attempt == 3
    assert export.rows == COUNT
    [(name, inside)] = unlocked(b"".join(services.take(leader, export)), services.password_of(export) or "").items()
    path = tmp_path / name.rpartition("/")[2]
    path.write_bytes(inside)
    rows = [row.values for row in read_rows(path)]
    lines = rows[next(at for at, row in enumerate(rows) if row[0] == "Name") + 1 :]  # below who had it made
    on_file = db.session.execute(select(Person.name, func.right(Person.id_number_tail, 4)))
    assert sorted((line[0], line[-1][-4:]) for line in lines) == sorted((name, tail) for name, tail in on_file)
    assert db.session.scalars(select(func.count()).select_from(Message)).one() == 1
    monkeypatch.setattr(file_jobs, "PATIENCE", timedelta(0))
    remove_strays(services.store(), named_keys)
    assert [key for keys in services.store().folders() for key in keys] == [export.key]
    assert list(outside.iterdir()) == []
    monkeypatch.setattr(scratch, "PATIENCE", 0)
    with scratch.scratch() as folder:
        assert list(folder.parent.iterdir()) == [folder]
