"""A run for everybody on file, end to end, against two floors written by hand.

The run asks the scheme, shares the pool to the fen, holds the budgets, fills and seals in committed chunks, is
submitted, approved and posted. ``disburse.run`` is against one ``INSERT … SELECT`` of the same payments into the same
table, with its constraints, indexes and triggers; ``disburse.run.bare`` against a bare subledger with its own tables.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from flask import Flask
from sqlalchemy import select, text

from bench.harness import Bench, Work, empty
from bench.people import DIVISIONS, SEED
from core.audit.services import SYSTEM
from core.disbursements import compute, payout, services
from core.disbursements.models import Run
from core.extensions import db
from core.ledger.allotting import fund_from_own
from core.org.models import Org
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.making import make_people
from core.plugin.registry import registry_of
from core.plugin.tables import owner_engine
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.models import User
from core.users.passwords import random_password
from core.users.services import GrantRequest, create_user
from core.wall import beyond_scope

POOL_FEN = 12_500_000_000
SIZES = (10_000, 100_000, 1_000_000, 4_000_000)
MILLION = 1_000_000

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
_CHUNK = """
INSERT INTO core_run_chunk (run_id, org_id, org_path, candidates, paid, excluded, total_fen)
SELECT :run, id, path, 0, 0, 0, 0 FROM core_org WHERE id = :chunk
"""


def year_with(count: int) -> ProgramYear:
    """A winter campaign with everybody on the list; no money yet."""
    load_divisions(SYSTEM, DIVISIONS)
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    make_people(SYSTEM, count, SEED, province)
    settings = {"rule": "pool", "pool": POOL_FEN, "notice_working_days": 0}
    year = enable(SYSTEM, "winter_warmth", 2014, province, opens_on=date(2014, 1, 1), settings=settings)
    db.session.execute(text(_PEOPLE), {"year": year.id})
    db.session.commit()
    with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
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


def start_afresh() -> None:
    """The tables of lines are as they were before the first run; the books and the budgets go on."""
    db.session.rollback()
    empty("core_payment", "core_exclusion", "core_seal", "core_run_candidate", "core_run_chunk", "core_run_former")
    with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("SET session_replication_role = replica"))
        connection.execute(text("UPDATE core_run SET state = 'cancelled'"))
        connection.execute(text("SET session_replication_role = DEFAULT"))
        connection.execute(text("CHECKPOINT"))
    db.session.expire_all()


@dataclass(frozen=True)
class People:
    """Those who act on a run."""

    clerk: User
    reviewer: User
    finance: User


def people_of(org: Org) -> People:
    """A clerk, a reviewer and a finance user of the union."""
    roles = ("clerk", "reviewer", "finance")
    made = [
        create_user(SYSTEM, role, role, random_password(), org, [GrantRequest(role=role, org=org)]) for role in roles
    ]
    return People(*made)


def fill_all(app: Flask, run_id: int, org_ids: Sequence[int]) -> None:
    """Fill the chunks side by side, one for each processor, as the workers do."""

    def fill(org_id: int) -> None:
        with app.app_context(), beyond_scope("a bench"):
            compute.fill(run_id, org_id)
            db.session.remove()

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(fill, org_ids))


def whole_run(app: Flask, year: ProgramYear, people: People, count: int) -> int:
    """A run from reserving to the books: computed, submitted, approved, posted; returns its id."""
    run = run_of(year, people.clerk.id)
    run_id = run.id
    fill_all(app, run_id, compute.reserve(run_id, registry_of().schemes["four_seasons.winter"]))
    compute.seal(run_id)
    services.submit(people.clerk, run)
    services.decide(people.reviewer, run, approve=True, comment="")
    payout.post(people.finance, run, date(2014, 1, 24))
    assert_whole(run_id, count)
    return run_id


def assert_whole(run_id: int, count: int) -> None:
    """Everybody is paid, the pool to the fen."""
    db.session.expire_all()
    state, paid, total = db.session.execute(select(Run.state, Run.paid, Run.total_fen).where(Run.id == run_id)).one()
    if (state, paid, total) != ("posted", count, POOL_FEN):
        raise AssertionError(f"the run came to {state}, {paid} people, {total} fen")


def _prepare(floor: Callable[[ProgramYear, int], None]) -> Callable[[int], Callable[[Flask], Work]]:
    def sized(count: int) -> Callable[[Flask], Work]:
        def prepare(app: Flask) -> Work:
            year, people = prepared(count)

            def run() -> None:
                whole_run(app, year, people, count)

            return Work(run=run, floor=lambda: floor(year, people.clerk.id), reset=start_afresh)

        return prepare

    return sized


def prepared(count: int) -> tuple[ProgramYear, People]:
    """The year with so many people, made once for all benches that share a database."""
    year = db.session.scalars(select(ProgramYear)).first()
    if year is None:
        year = year_with(count)
        people = people_of(db.session.get_one(Org, year.org_id))
        fund(year, people.finance)
        return year, people
    found = {user.username: user for user in db.session.scalars(select(User))}
    return year, People(found["clerk"], found["reviewer"], found["finance"])


def fund(year: ProgramYear, finance: User) -> None:
    """Enough money in every city for a hundred runs."""
    cities = db.session.scalars(select(Org.id).where(Org.level == "city"))
    amounts = dict.fromkeys(cities, 100 * POOL_FEN)
    fund_from_own(finance, year, key="bench", amounts=amounts, effective_on=date(2014, 1, 1), description="bench")


def _one_statement(year: ProgramYear, user_id: int) -> None:
    """The same lines under the same constraints, indexes and triggers."""
    run = run_of(year, user_id)
    values = {"run": run.id, "year": year.id, "chunk": run.org_id}
    db.session.execute(text(_CHUNK), values)
    db.session.execute(text(_FLOOR), values)
    db.session.commit()


def _bare_subledger(year: ProgramYear, _user_id: int) -> None:
    """Nothing but a run of payments written by hand: reserve, fill, check, index, seal, publish (see ``bare.sql``)."""
    steps = (Path(__file__).parent / "bare.sql").read_text().format(year=year.id)
    with owner_engine() as engine, engine.connect() as connection:  # no wall is asked by the floor
        for step in steps.split(";\n"):
            if step.strip():
                connection.exec_driver_sql(step)


BENCHES = [
    *(Bench("disburse.run", n=n, aim=1.5, prepare=_prepare(_one_statement)(n), share="disburse") for n in SIZES),
    Bench("disburse.run.bare", n=MILLION, aim=2.5, prepare=_prepare(_bare_subledger)(MILLION), share="disburse"),
]
