"""Classifying files of workers in hardship again for a new year, against one UPDATE written by hand.

The work is the service as the application's role, behind the walls, for a clerk of the province: settings and lines of
unions looked up, the outcomes counted before and after, the audit line. The floor writes the same columns of the same
rows as the owner of the tables, with one line for all that stands in the statement.
"""

from collections.abc import Callable
from datetime import date
from itertools import count
from time import perf_counter

from flask import Flask
from sqlalchemy import text

from bench.harness import Bench, Work
from bench.people import DIVISIONS, ON_FILE, SEED
from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.org.queries import by_code
from core.org.services import load_divisions
from core.people.making import make_people
from core.plugin.tables import owner_engine
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.access import reach_of
from core.users.models import User
from core.users.passwords import random_password
from core.users.services import GrantRequest, create_user
from core.wall import reach_as
from plugins.hardship_aid.categories.services import classify

#: One file for each person; income, expenses, losses and sizes differ, and one of fifty has a barrier.
FILES = text(
    """
    INSERT INTO hardship_aid_file (sponsor_id, person_id, org_id, org_path, worker, household_size, head, income_fen,
        rigid_fen, loss_fen, cause, barrier, applied_on, state)
    SELECT :sponsor, id, org_id, org_path, 'employed', 1 + id % 6, 'self', 1000000 + id * 7919 % 9000000,
        id * 104729 % 2000000, id * 15485863 % 9000000, 'illness', CASE id % 50 WHEN 0 THEN 'homes' ELSE 'none' END,
        DATE '2014-01-06', 'on_file'
      FROM core_person ORDER BY org_path, id
    """
)
#: A line of its own for each city and county.
LINES = text(
    """
    INSERT INTO hardship_aid_line (program_year_id, org_id, org_path, monthly_fen)
    SELECT :year, id, path, 60000 + id % 100 * 500 FROM core_org WHERE level IN ('city', 'county')
    """
)
BY_HAND = text(
    """
    UPDATE hardship_aid_file
       SET computed = CASE WHEN barrier <> 'none' THEN 'none'
                           WHEN (income_fen - rigid_fen) * 100 < 106200 * 12 * household_size * 100 THEN 'deep'
                           WHEN (income_fen - rigid_fen) * 100 < 106200 * 12 * household_size * 200 THEN 'relative'
                           WHEN loss_fen * 100 > income_fen * 80 THEN 'accidental'
                           ELSE 'none' END,
           computed_year = :year, line_fen = 106200
     WHERE sponsor_id = :sponsor AND state NOT IN ('out', 'refused', 'removed')
    """
)


def _prepared() -> tuple[Org, User]:
    load_divisions(SYSTEM, DIVISIONS)
    province = by_code("61")
    if province is None:
        raise LookupError("the divisions have no province")
    make_people(SYSTEM, ON_FILE, SEED, province)
    grants = [GrantRequest(role="clerk", org=province)]
    user = create_user(SYSTEM, "bench", "bench", random_password(), province, grants, first=False)
    db.session.execute(FILES, {"sponsor": province.id})
    db.session.commit()
    return province, user


def _year(number: int, province: Org) -> ProgramYear:
    settings = {"line": 1_062_00, "notice_working_days": 0}
    year = enable(SYSTEM, "hardship_aid", number, province, opens_on=date(2014, 1, 1), settings=settings)
    db.session.execute(LINES, {"year": year.id})
    db.session.commit()
    return year


def _as_owner(statement: str) -> None:
    with owner_engine() as engine, engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(statement))


def _classifying(years: Callable[[], int], province: Org, user: User) -> Callable[[], float]:
    def run() -> float:
        year = _year(years(), province)
        _as_owner("VACUUM ANALYZE hardship_aid_line")
        reach_as(reach_of(user, "hardship_aid"))
        before = perf_counter()
        done = classify(user, year)
        seconds = perf_counter() - before
        if done.changed != ON_FILE:
            raise AssertionError(f"{done.changed} files were computed")
        return seconds

    return run


def _by_hand(years: Callable[[], int], province: Org) -> Callable[[], float]:
    sponsor = province.id

    def run() -> float:
        with owner_engine() as engine, engine.connect() as connection:
            connection.execute(text("SELECT 1"))
            before = perf_counter()
            changed = connection.execute(BY_HAND, {"sponsor": sponsor, "year": years()}).rowcount
            connection.commit()
            seconds = perf_counter() - before
        if changed != ON_FILE:
            raise AssertionError(f"{changed} files were computed")
        return seconds

    return run


def _prepare(_app: Flask) -> Work:
    province, user = _prepared()
    numbers = count(2014)  # each round is for a year that is newer than all before it
    _as_owner("VACUUM ANALYZE")

    def years() -> int:
        return next(numbers)

    def reset() -> None:
        db.session.rollback()
        _as_owner("VACUUM FULL hardship_aid_file")
        _as_owner("VACUUM ANALYZE hardship_aid_file")

    return Work(run=_classifying(years, province, user), floor=_by_hand(years, province), reset=reset)


BENCHES = [Bench("hardship.classify", n=ON_FILE, aim=1.5, prepare=_prepare)]
