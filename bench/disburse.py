"""Computing a run for everybody on file, against one hand-written ``INSERT … SELECT`` into the same table.

The floor writes the same payments, under the same constraints, indexes and triggers, in one statement; the run also
asks the scheme, shares the pool to the fen, holds the budgets, counts again and leaves a result that survives a kill.
"""

from collections.abc import Callable
from datetime import date

from flask import Flask
from sqlalchemy import select, text

from bench.harness import Bench, Work
from bench.people import DIVISIONS, SEED
from core.audit.services import SYSTEM
from core.disbursements import compute
from core.disbursements.models import Run
from core.extensions import db
from core.org.models import Org
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.making import make_people
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.passwords import random_password
from core.users.services import create_user

POOL_FEN = 12_500_000_000

_PEOPLE = """
INSERT INTO four_seasons_hardship (program_year_id, person_id, org_id, org_path, category, cause)
SELECT :year, id, org_id, org_path, 'deep', '' FROM core_person ORDER BY id
"""
_FLOOR = """
INSERT INTO core_payment (run_id, payee_id, program_year_id, item, chunk_org_id, org_id, org_path, amount_fen, basis,
                          payee_name, account_tail)
SELECT :run, id, :year, 'winter', :chunk, org_id, org_path, 91911, 'pool', name, bank_account_tail
  FROM core_person ORDER BY id
"""
_BUDGETS = """
INSERT INTO core_budget_line (program_year_id, org_id, org_path, allotted_fen)
SELECT :year, id, path, :fen FROM core_org WHERE level = 'city'
"""


def year_with(count: int) -> ProgramYear:
    """A winter campaign with everybody on the list and money in every city."""
    load_divisions(SYSTEM, DIVISIONS)
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    make_people(SYSTEM, count, SEED, province)
    settings = {"rule": "pool", "pool": POOL_FEN, "notice_working_days": 0}
    year = enable(SYSTEM, "four_seasons", 2014, province, opens_on=date(2014, 1, 1), settings=settings)
    db.session.execute(text(_PEOPLE), {"year": year.id})
    db.session.execute(text(_BUDGETS), {"year": year.id, "fen": POOL_FEN})
    db.session.commit()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return year


def run_of(year: ProgramYear, user_id: int) -> Run:
    org = db.session.get_one(Org, year.org_id)
    run = Run(
        program_year_id=year.id,
        scheme="four_seasons.winter",
        item="winter",
        title="bench",
        org_id=org.id,
        org_path=org.path,
        state="computing",
        settings=year.settings,
        settings_version=year.settings_version,
        created_by=user_id,
    )
    db.session.add(run)
    db.session.commit()
    return run


def _start_afresh() -> None:
    """No run holds anything, and the table is as it was."""
    db.session.rollback()
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for table in ("core_payment", "core_exclusion", "core_seal", "core_run_candidate", "core_run_chunk"):
            connection.execute(text("SET session_replication_role = replica"))
            connection.execute(text(f"TRUNCATE {table}"))
            connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.execute(text("UPDATE core_run SET state = 'cancelled' WHERE state = 'computing'"))
        connection.execute(text("UPDATE core_budget_line SET held_fen = 0"))
        connection.execute(text("CHECKPOINT"))
    db.session.expire_all()


def _prepare(count: int) -> Callable[[Flask], Work]:
    def prepare(_app: Flask) -> Work:
        year = year_with(count)
        org = db.session.get_one(Org, year.org_id)
        user = create_user(SYSTEM, "bench", "bench", random_password(), org, [])
        scheme = registry_of().schemes["four_seasons.winter"]

        def run() -> None:
            run_id = run_of(year, user.id).id
            for org_id in compute.reserve(run_id, scheme):
                compute.fill(run_id, org_id)
            compute.seal(run_id)
            _assert_whole(run_id, count)

        def floor() -> None:
            run_id = run_of(year, user.id).id
            db.session.execute(text(_FLOOR), {"run": run_id, "year": year.id, "chunk": org.id})
            db.session.commit()

        return Work(run=run, floor=floor, reset=_start_afresh)

    return prepare


def _assert_whole(run_id: int, count: int) -> None:
    state, paid, total = db.session.execute(select(Run.state, Run.paid, Run.total_fen).where(Run.id == run_id)).one()
    if (state, paid, total) != ("computed", count, POOL_FEN):
        raise AssertionError(f"the run came to {state}, {paid} people, {total} fen")


BENCHES = [Bench("disburse.compute", n=count, aim=1.5, prepare=_prepare(count)) for count in (136_000, 1_000_000)]
