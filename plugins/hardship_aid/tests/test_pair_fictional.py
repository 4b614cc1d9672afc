"""Fictional leaders: so many for so many workers, the same each time."""

from collections.abc import Callable

import pytest
from sqlalchemy import func, select, tuple_

from core.api import Person, ProgramYear, Scope, db
from plugins.hardship_aid.files.fictional import NAMES
from plugins.hardship_aid.pairing import queries
from plugins.hardship_aid.pairing.fictional import LEADERS, WORKERS, pair_workers, visit_workers
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.tests.paired import open_file

#: How many workers are on file at each union: 21 in all, and one whose file is not approved.
PLACES = {"610102": 6, "610103": 7, "610202": 8}


@pytest.fixture
def files(program_year: ProgramYear, make_person: Callable[..., Person]) -> None:
    for code, count in PLACES.items():
        for _time in range(count):
            open_file(program_year, make_person(code))
    open_file(program_year, make_person("610102"), state="draft")


def told() -> list[tuple[str, ...]]:
    rows = db.session.execute(select(Pair.person_id, Pair.leader, Pair.post, Pair.unit, Pair.rank).order_by(Pair.id))
    return [tuple(map(str, row)) for row in rows]


def leaders() -> int:
    """Leaders as the report counts them."""
    one = tuple_(Pair.org_id, Pair.leader, Pair.post, Pair.unit)
    return db.session.scalar(select(func.count(one.distinct()))) or 0


def test_the_figures_of_the_year_are_the_source_s() -> None:
    assert (LEADERS, WORKERS, round(WORKERS / LEADERS, 2)) == (61_300, 81_100, 1.32)
    assert {len(set(signs)) for signs in NAMES.values()} == {20}


@pytest.mark.parametrize(("workers", "wanted", "found"), [(20, 15, 15), (20, 20, 20), (20, 10, 11), (21, 30, 21)])
def test_so_many_leaders_have_so_many_workers(
    files: None, program_year: ProgramYear, workers: int, wanted: int, found: int
) -> None:
    """Of 6, 7 and 7 workers at the unions at most nine can share a leader."""
    assert pair_workers(program_year, workers, wanted) == workers
    assert leaders() == found
    assert max(db.session.scalars(select(func.count()).select_from(Pair).group_by(Pair.org_id, Pair.unit))) <= 2
    assert len(set(db.session.scalars(select(Pair.unit)))) == found  # nobody leads at two unions


def test_the_same_files_give_the_same_pairs_once(files: None, program_year: ProgramYear) -> None:
    pair_workers(program_year, 20, 15)
    first = told()
    assert pair_workers(program_year, 20, 15) == 0
    db.session.execute(Pair.__table__.delete())  # type: ignore[attr-defined]
    pair_workers(program_year, 20, 15)
    assert told() == first


def test_each_of_them_is_visited_in_the_year(files: None, program_year: ProgramYear) -> None:
    pair_workers(program_year, 20, 15)
    assert queries.count_lacking(program_year, Scope(("/",))) == 20
    assert visit_workers(program_year) == 20
    assert visit_workers(program_year) == 0
    assert queries.count_lacking(program_year, Scope(("/",))) == 0
    assert set(db.session.scalars(select(func.extract("year", PairVisit.visited_on)))) == {2014}
