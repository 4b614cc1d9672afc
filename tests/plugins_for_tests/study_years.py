"""What people do with the study aid, in a process in which its distribution is installed: enrol, and pay a year.

``python -m tests.plugins_for_tests.study_years enrol YEAR NUMBER LEVEL`` and ``... pay YEAR``.
"""

import sys
from datetime import date

from sqlalchemy import select

from core import create_app
from core.disbursements import payout, services
from core.disbursements.models import Run
from core.extensions import db
from core.jobs.models import Job
from core.jobs.runner import run as run_job
from core.ledger.allotting import fund_from_own
from core.org.queries import by_code
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.queries import find
from core.registers.services import add
from core.users.models import User
from core.users.testing import TREE
from core.wall import beyond_scope

SPONSOR = "61-transport"
NAME = "mine_study_aid"
assert SPONSOR in TREE


def the_year(year: int) -> ProgramYear:
    """The program year that the test has switched on."""
    program_year = find(year, SPONSOR, NAME)
    assert program_year is not None
    return program_year


def user(name: str) -> User:
    """Somebody whom the test has made."""
    return db.session.scalars(select(User).where(User.username == name)).one()


def enrol(year: int, id_number: str, level: str) -> None:
    """Put a person on file on the register, by its own service."""
    values = {"id_number": id_number, "level": level, "school": "安康中学"}
    days = {"enrolled_on": date(2012, 9, 1), "graduates_on": date(2016, 7, 1)}
    add(user("clerk"), registry_of().registers[f"{NAME}.students"], the_year(year), values | days)


def pay(year: int) -> Run:
    """Make a run, compute it with the jobs of the queue, approve and post it."""
    program_year, finance, sponsor = the_year(year), user("finance"), by_code(SPONSOR)
    assert sponsor is not None
    fund_from_own(
        finance, program_year, key="own", amounts={sponsor.id: 100_000_00}, effective_on=date(year, 10, 1),
        description="自筹",
    )  # fmt: skip
    run = services.create_run(user("clerk"), program_year, f"{NAME}.by_level", f"{year}年助学", sponsor)
    services.start_computing(user("clerk"), run)
    queued = select(Job.id).where(Job.state == "queued").order_by(Job.id).limit(1)
    while (job_id := db.session.scalars(queued).first()) is not None:
        db.session.commit()
        run_job(job_id)
    db.session.expire_all()
    services.submit(user("clerk"), run)
    services.decide(user("reviewer"), run, approve=True, comment="")
    payout.post(finance, run, date(year, 10, 20))
    return run


if __name__ == "__main__":
    with create_app().app_context(), beyond_scope("a test"):
        match sys.argv[1:]:
            case ["enrol", year, number, level]:
                enrol(int(year), number, level)
            case ["pay", year]:
                done = pay(int(year))
                sys.stdout.write(f"{done.state} {done.paid} {done.total_fen}\n")
            case _:
                sys.exit(2)
