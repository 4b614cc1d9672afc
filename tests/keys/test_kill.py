"""``zhijia keys rotate`` killed while people come on file: run again it ends, and nobody is there twice."""

import os
import random
import sys
import threading

import psutil
import pytest
from flask import Flask
from sqlalchemy import func, select

from core.audit.services import SYSTEM
from core.config import ROOT, Settings
from core.extensions import db
from core.keys import rotation
from core.keys.columns import counts
from core.org.models import Org
from core.org.scope import Scope
from core.people.making import make_people, people_of
from core.people.models import Person
from core.people.secrets import Keys
from core.people.services import register_people
from core.wall import beyond_scope
from core.web.testing import environ_of
from tests.faults import kill
from tests.jobs.conftest import wait_until
from tests.keys.conftest import BOTH

pytestmark = pytest.mark.services
COUNT, BATCH, SEED = 6_000, 50, 2014
EVERYWHERE = Scope(("/",))


def rotate(settings: Settings) -> psutil.Popen:
    environ = os.environ | environ_of(settings)
    return psutil.Popen([sys.executable, "-m", "core.cli", "keys", "rotate"], env=environ, cwd=ROOT)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_rotation_ends_when_it_is_run_again(
    app: Flask, settings: Settings, small_tree: dict[str, Org], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  # not for secrets
    org = small_tree["61"]
    make_people(SYSTEM, COUNT // 2, SEED, org)
    over = threading.Event()
    added: list[int] = []

    def register() -> None:
        """A clerk who registers everybody again and again, the known and the new."""
        with app.app_context(), beyond_scope("a test"):
            rows = [row for row, _at in zip(people_of(SEED, db.session.merge(org)), range(COUNT), strict=False)]
            while not over.is_set() or not added:
                start = chance.randrange(0, COUNT - BATCH)
                added.append(register_people(SYSTEM, rows[start : start + BATCH], EVERYWHERE).added)

    clerk = threading.Thread(target=register)
    clerk.start()
    try:
        for _kill in range(4):
            process = rotate(settings)
            psutil.wait_procs([process], timeout=1.5 + 2 * chance.random())
            kill(process)
        process = rotate(settings)
        wait_until(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 120)
        assert process.wait() == 0
    finally:
        over.set()
        clerk.join()
    db.session.rollback()
    assert {version for _column, version, _count in counts()} == {2}
    assert (rotation.in_use().cipher, rotation.in_use().digest) == (2, 2)
    assert sum(added) + COUNT // 2 == db.session.scalar(select(func.count()).select_from(Person))
    new = Keys(BOTH, digest=2)
    numbers = set()
    for sealed, digest in db.session.execute(select(Person.id_number, Person.id_number_digest)):
        number = new.decrypt("id_number", sealed)
        assert new.digest("id_number", number) == digest
        numbers.add(number)
    assert len(numbers) == sum(added) + COUNT // 2
