from collections.abc import Callable

import pytest
from flask import Flask

from core.audit.services import SYSTEM
from core.extensions import db
from core.jobs.services import enqueue


@pytest.fixture
def run_job(app: Flask, run_jobs: Callable[[], int]) -> Callable[[str], None]:
    """Run a job of the clock by its name."""

    def run(name: str) -> None:
        enqueue(name, SYSTEM, "/61/")
        db.session.commit()
        assert run_jobs() == 1

    return run
