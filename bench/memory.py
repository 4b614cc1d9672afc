"""``python -m bench.memory``: the peak memory of the real worker at a run and at an export, of two sizes.

``python -m bench.memory exporting`` watches that alone. Resident memory of the largest process of ``worker.py``,
sampled every 50 ms, in megabytes; the aim is 200.
"""

import os
import subprocess
import sys
import time

import psutil
from flask import Flask

from bench.disburse import run_of, year_with
from bench.harness import INSTANCE, fresh_app
from bench.people import DIVISIONS, SEED
from core.audit.services import SYSTEM
from core.config import ROOT, settings_of
from core.disbursements.models import Run
from core.embedded import stop_postgres, stop_redis
from core.exports.services import ask
from core.exports.sources import source_of
from core.extensions import db
from core.jobs.services import enqueue
from core.lists.queries import Asked
from core.org.models import Org
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.listing import PEOPLE
from core.people.making import make_people
from core.users.passwords import random_password
from core.users.services import GrantRequest, create_user

AIM = 200
SIZES = (136_000, 1_000_000)
Measured = tuple[float, float]


def computing(app: Flask, count: int) -> Measured:
    """The worker while it computes a run for so many."""
    year = year_with(count)
    user = create_user(SYSTEM, "bench", "bench", random_password(), db.session.get_one(Org, year.org_id), [])
    run = run_of(year, user.id)
    enqueue("disbursements.compute", SYSTEM, "/61/", args={"run_id": run.id})
    db.session.commit()
    measured = _watched(app)
    db.session.expire_all()
    if db.session.get_one(Run, run.id).paid != count:
        raise AssertionError("the run was not computed")
    return measured


def exporting(app: Flask, count: int) -> Measured:
    """The worker while it writes so many people into an Excel file, in a zip with a password."""
    load_divisions(SYSTEM, DIVISIONS)
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    make_people(SYSTEM, count, SEED, province)
    user = create_user(
        SYSTEM, "bench", "bench", random_password(), province, [GrantRequest(role="clerk", org=province)]
    )
    source = source_of(user, PEOPLE.code, None)
    columns = [column for column in PEOPLE.columns if not column.hidden]
    export = ask(user, source, None, Asked(args={}), columns, "xlsx")
    measured = _watched(app)
    db.session.refresh(export)
    if export.rows != count:
        raise AssertionError(f"{export.rows} people were written")
    return measured


def _watched(app: Flask) -> Measured:
    """Megabytes of the largest process of a worker at its peak, and seconds until its queues are empty."""
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
    return largest / 2**20, time.perf_counter() - began


def main() -> int:
    """Exit code 1 where the aim is missed."""
    missed, only = False, sys.argv[1:]
    try:
        for work in (computing, exporting):
            if only and work.__name__ not in only:
                continue
            for count in SIZES:
                with fresh_app() as app:
                    megabytes, seconds = work(app, count)
                missed |= megabytes > AIM
                print(
                    f"worker, {work.__name__} {count:,} people: {megabytes:.0f} MB at its peak (aim {AIM}), "
                    f"{seconds:.1f} s in all"
                )
    finally:
        stop_postgres(INSTANCE)
        stop_redis(INSTANCE)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
