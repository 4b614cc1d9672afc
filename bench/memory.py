"""``python -m bench.memory``: the peak memory of the real worker while it computes a run, at two sizes.

Resident memory of the largest process of ``worker.py``, sampled every 50 ms, in megabytes; the aim is 200.
"""

import os
import subprocess
import sys
import time

import psutil
from flask import Flask

from bench.disburse import run_of, year_with
from bench.harness import INSTANCE, fresh_app
from core.audit.services import SYSTEM
from core.config import ROOT, settings_of
from core.disbursements.models import Run
from core.embedded import stop_postgres, stop_redis
from core.extensions import db
from core.jobs.services import enqueue
from core.org.models import Org
from core.users.passwords import random_password
from core.users.services import create_user

AIM = 200
SIZES = (136_000, 1_000_000)


def peak(app: Flask, count: int) -> tuple[float, float]:
    """Megabytes of the largest process at its peak, and seconds from the first job to the result."""
    year = year_with(count)
    user = create_user(SYSTEM, "bench", "bench", random_password(), db.session.get_one(Org, year.org_id), [])
    run = run_of(year, user.id)
    enqueue("disbursements.compute", SYSTEM, "/61/", args={"run_id": run.id})
    db.session.commit()
    settings = settings_of()
    environ = os.environ | {
        "ZHIJIA_INSTANCE": str(settings.instance),
        "ZHIJIA_DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
    }
    began, largest = time.perf_counter(), 0
    worker = psutil.Popen([sys.executable, str(ROOT / "worker.py"), "--burst"], env=environ, stderr=subprocess.DEVNULL)
    while worker.poll() is None:
        for process in [worker, *worker.children(recursive=True)]:
            try:
                largest = max(largest, process.memory_info().rss)
            except psutil.Error:
                continue
        time.sleep(0.05)
    db.session.expire_all()
    if db.session.get_one(Run, run.id).paid != count:
        raise AssertionError("the run was not computed")
    return largest / 2**20, time.perf_counter() - began


def main() -> int:
    """Exit code 1 where the aim is missed."""
    missed = False
    try:
        for count in SIZES:
            with fresh_app() as app:
                megabytes, seconds = peak(app, count)
            missed |= megabytes > AIM
            print(f"worker, {count:,} payees: {megabytes:.0f} MB at its peak (aim {AIM}), {seconds:.1f} s in all")
    finally:
        stop_postgres(INSTANCE)
        stop_redis(INSTANCE)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
