"""``python -m bench.memory``: the peak memory of the real worker at a run, an export and imports, of some sizes.

``python -m bench.memory exporting`` watches that alone. Resident memory of the largest process of ``worker.py``,
sampled every 50 ms, in megabytes; the aim is 200.
"""

import io
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence

import psutil
from flask import Flask
from sqlalchemy import select

from bench.disburse import prepared as prepared_year
from bench.disburse import run_of
from bench.harness import INSTANCE, fresh_app
from bench.imports import as_csv, as_xlsx, list_of, prepared
from bench.people import DIVISIONS, SEED
from core.audit.services import SYSTEM
from core.config import ROOT, settings_of
from core.disbursements.models import Run
from core.embedded import stop_postgres, stop_redis
from core.exports.services import ask
from core.exports.sources import source_of
from core.extensions import db
from core.imports.models import Import
from core.imports.services import start_merge, upload
from core.jobs.services import enqueue
from core.lists.queries import Asked
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.listing import PEOPLE
from core.people.making import make_people
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.users.models import User
from core.users.passwords import random_password
from core.users.services import GrantRequest, create_user

AIM = 200
SIZES = (136_000, 1_000_000)
#: What reads an xlsx holds the sheet; a file of more than the largest of these lists is refused.
AIM_OF_XLSX = 400
LISTS = (20_000, 100_000, 200_000)
Measured = tuple[float, float]


def computing(app: Flask, count: int) -> Measured:
    """The worker while it computes a run for so many."""
    year, people = prepared_year(count)
    run = run_of(year, people.clerk.id)
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


def staging_csv(app: Flask, count: int) -> Measured:
    """The worker while it reads and checks a CSV of so many rows."""
    return _staging(app, count, "csv", as_csv)


def staging_xlsx(app: Flask, count: int) -> Measured:
    """The worker while it reads and checks an xlsx of so many rows."""
    return _staging(app, count, "xlsx", as_xlsx)


def merging(app: Flask, count: int) -> Measured:
    """The worker while it takes half of so many people on file and puts all into the register."""
    _staging(app, count, "csv", as_csv)
    one = db.session.scalars(select(Import)).one()
    user, year = db.session.get_one(User, one.user_id), db.session.get_one(ProgramYear, one.program_year_id)
    start_merge(user, one, registry_of().registers[one.register], year, only_good=False)
    measured = _watched(app)
    db.session.refresh(one)
    if one.added != count:
        raise AssertionError(f"{one.added} rows were merged: {one.error}")
    return measured


def _staging(app: Flask, count: int, kind: str, write: Callable[[Iterator[Sequence[str]]], bytes]) -> Measured:
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    user, year, province = prepared()
    content = io.BytesIO(write(list_of(count, province)))
    one = upload(user, registry_of().registers["four_seasons.hardship"], year, content, f"list.{kind}")
    measured = _watched(app)
    db.session.refresh(one)
    if one.good != count:
        raise AssertionError(f"{one.good} good rows: {one.error}")
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
    works = {computing: SIZES, exporting: SIZES, staging_csv: LISTS, staging_xlsx: LISTS, merging: LISTS}
    try:
        for work, sizes in works.items():
            if only and work.__name__ not in only:
                continue
            aim = AIM_OF_XLSX if work is staging_xlsx else AIM
            for count in sizes:
                with fresh_app() as app:
                    megabytes, seconds = work(app, count)
                missed |= megabytes > aim
                print(
                    f"worker, {work.__name__} {count:,}: {megabytes:.0f} MB at its peak (aim {aim}), "
                    f"{seconds:.1f} s in all"
                )
    finally:
        stop_postgres(INSTANCE)
        stop_redis(INSTANCE)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
