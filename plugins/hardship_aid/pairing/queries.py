"""Which pairs stand, which of them were not visited often enough in a year, and who has none. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Select, Subquery, and_, exists, func, or_, select

from core.api import Org, Person, ProgramYear, Scope, db, mask_id, today
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.words import ON_FILE

#: Lines on a page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class PairLine:
    """A pair that lacks visits; ``visits`` are those of the year."""

    pair: Pair
    name: str
    id_number: str
    org: str
    visits: int


@dataclass(frozen=True, slots=True)
class WorkerLine:
    """A worker on file whom nobody is paired with."""

    file_id: int
    name: str
    id_number: str
    org: str


def stood_on(pair: Any, day: Any) -> ColumnElement[bool]:
    """Whether ``pair`` (the model or an alias) stood on a day; its first and its last day count."""
    return and_(pair.paired_on <= day, or_(pair.ended_on.is_(None), pair.ended_on >= day))


def day_of(program_year: ProgramYear) -> date:
    """The day that a year is looked at on: today, and once it is over its last day."""
    return min(today(), date(program_year.year, 12, 31))


def needed(program_year: ProgramYear) -> int:
    """How many visits each pair is to have in the year."""
    return int(program_year.settings.get("visits_a_year", 1))


def on_file() -> ColumnElement[bool]:
    """Files whose workers are on file, also while they are looked at again."""
    return File.state.in_(ON_FILE)


def standing(program_year: ProgramYear, scope: Scope | None = None) -> list[ColumnElement[bool]]:
    """The conditions for pairs of the sponsor that stand on the day of the year, in the scope."""
    conditions = [Pair.sponsor_id == program_year.org_id, stood_on(Pair, day_of(program_year))]
    return conditions if scope is None else [*conditions, scope.covers(Pair.org_path)]


def visits_by_pair(program_year: ProgramYear) -> Subquery:
    """``person_id, leader, visits``: those of the year. Where a leader has a new post, visits under both count."""
    return (
        select(PairVisit.person_id, PairVisit.leader, func.count().label("visits"))
        .where(PairVisit.program_year_id == program_year.id)
        .group_by(PairVisit.person_id, PairVisit.leader)
        .subquery()
    )


def visits_of(made: Subquery) -> ColumnElement[bool]:
    """Ties :func:`visits_by_pair` to its pair."""
    return and_(made.c.person_id == Pair.person_id, made.c.leader == Pair.leader)


def lacking(program_year: ProgramYear, scope: Scope | None = None) -> Select[Pair, int]:
    """Pairs that stand and have fewer visits than the year asks for, with the number that they have."""
    made = visits_by_pair(program_year)
    visits = func.coalesce(made.c.visits, 0)
    return (
        select(Pair, visits.label("visits"))
        .outerjoin(made, visits_of(made))
        .where(*standing(program_year, scope), visits < needed(program_year))
    )


def unpaired(program_year: ProgramYear) -> list[ColumnElement[bool]]:
    """The conditions for files of the sponsor whose worker is paired with nobody on the day of the year."""
    paired = exists().where(Pair.person_id == File.person_id, stood_on(Pair, day_of(program_year)))
    return [File.sponsor_id == program_year.org_id, on_file(), ~paired]


def count_standing(program_year: ProgramYear, scope: Scope) -> int:
    """How many pairs stand."""
    return db.session.scalar(select(func.count()).select_from(Pair).where(*standing(program_year, scope))) or 0


def count_lacking(program_year: ProgramYear, scope: Scope) -> int:
    """How many of them lack visits."""
    found = lacking(program_year, scope).with_only_columns(Pair.id).subquery()
    return db.session.scalar(select(func.count()).select_from(found)) or 0


def lacking_page(program_year: ProgramYear, scope: Scope, after: int = 0) -> list[PairLine]:
    """A page of pairs that lack visits, behind the one with the id ``after``; one more says that there is more."""
    query = (
        lacking(program_year, scope)
        .add_columns(Person.name, Person.id_number_tail, Org.short_name)
        .join(Person, Person.id == Pair.person_id)
        .join(Org, Org.id == Pair.org_id)
        .where(Pair.id > after)
        .order_by(Pair.id)
        .limit(PAGE + 1)
    )
    return [
        PairLine(pair, name, mask_id(tail), org, visits)
        for pair, visits, name, tail, org in db.session.execute(query).all()
    ]


def pairs_of(scope: Scope, person_id: int) -> Sequence[Pair]:
    """The pairs of a worker, those that stand first."""
    mine = Pair.person_id == person_id, scope.covers(Pair.org_path)
    return db.session.scalars(select(Pair).where(*mine).order_by(Pair.ended_on.desc().nulls_first(), Pair.id)).all()


def visits_to(program_year: ProgramYear, scope: Scope, person_id: int) -> Sequence[PairVisit]:
    """The visits to a worker in the year, the newest first."""
    mine = PairVisit.person_id == person_id, PairVisit.program_year_id == program_year.id
    visits = select(PairVisit).where(*mine, scope.covers(PairVisit.org_path))
    return db.session.scalars(visits.order_by(PairVisit.visited_on.desc(), PairVisit.id)).all()


def unpaired_page(program_year: ProgramYear, scope: Scope, after: int = 0) -> list[WorkerLine]:
    """The same of workers on file whom nobody is paired with."""
    query = (
        select(File.id, Person.name, Person.id_number_tail, Org.short_name)
        .join(Person, Person.id == File.person_id)
        .join(Org, Org.id == File.org_id)
        .where(*unpaired(program_year), scope.covers(File.org_path), File.id > after)
        .order_by(File.id)
        .limit(PAGE + 1)
    )
    return [WorkerLine(row_id, name, mask_id(tail), org) for row_id, name, tail, org in db.session.execute(query)]
