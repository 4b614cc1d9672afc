"""The sample plugin in this process and, by its entry point, in worker processes."""

import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from core.config import ROOT
from core.extensions import db
from core.jobs.models import Job
from core.org.models import Org
from core.programs.models import ProgramYear
from tests.jobs import sample_jobs


@pytest.fixture
def plugins() -> dict[str, object]:
    """The application has the sample plugin, and no other."""
    return {"sample": sample_jobs}


@pytest.fixture
def with_sample(tmp_path: Path) -> dict[str, str]:
    """The variables that let a worker process find the sample plugin, as if it were installed and allowed."""
    site = tmp_path / "site"
    info = site / "sample-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[zhijia.plugins]\nsample = tests.jobs.sample_jobs\n")
    return {"PYTHONPATH": f"{site}:{ROOT}", "ZHIJIA_PLUGINS": "sample"}


@pytest.fixture
def program_year_id(app: Flask) -> int:
    """The id of a year of the sample's program, run by a province."""
    org = Org(code="61", name="某省总工会", short_name="某省", pinyin="", initials="", level="province", path="/61/")
    db.session.add(org)
    db.session.flush()
    year = ProgramYear(
        program="sample", title={"zh": "样例"}, year=2026, org_id=org.id, org_path=org.path, opens_on=date(2026, 1, 1)
    )
    db.session.add(year)
    db.session.commit()
    return year.id


def wait_until(condition: Callable[[], bool], seconds: float = 20) -> None:
    """Wait until it is true; fails the test when it does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.02)


def fresh(job_id: int) -> Job:
    """The job as it is in the database now."""
    db.session.rollback()
    return db.session.get_one(Job, job_id)
