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
    return installed(tmp_path, "sample", "tests.jobs.sample_jobs")


@pytest.fixture
def make_year(app: Flask) -> Callable[[Org], int]:
    """Make the year 2026 of the sample's program, run by an org; the id."""

    def make(org: Org) -> int:
        place = {"org_id": org.id, "org_path": org.path}
        year = ProgramYear(program="sample", title={"zh": "样例"}, year=2026, opens_on=date(2026, 1, 1), **place)
        db.session.add(year)
        db.session.commit()
        return year.id

    return make


@pytest.fixture
def program_year_id(small_tree: dict[str, Org], make_year: Callable[[Org], int]) -> int:
    """The id of a year of the sample's program, run by the province."""
    return make_year(small_tree["61"])


def installed(folder: Path, name: str, module: str) -> dict[str, str]:
    """The variables that let another process find the plugin ``module`` under ``name``, as if it were installed."""
    info = folder / "site" / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[zhijia.plugins]\n{name} = {module}\n")
    return {"PYTHONPATH": f"{info.parent}:{ROOT}", "ZHIJIA_PLUGINS": name}


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
