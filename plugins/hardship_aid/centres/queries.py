"""The network of help: how many places each city has, where they are, and which unions have none."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from core.api import Org, ProgramYear, Scope, db, lies_below, subtree
from plugins.hardship_aid.centres.models import Centre
from plugins.hardship_aid.pairing.queries import day_of

#: The levels of the network that a place is expected at or below.
LEVELS = ("city", "county", "township")
PAGE = 50


@dataclass(frozen=True, slots=True)
class CityLine:
    """A city and the places at its union and below."""

    code: str
    name: str
    centres: int
    stations: int

    @property
    def places(self) -> int:
        """Both together."""
        return self.centres + self.stations


@dataclass(frozen=True, slots=True)
class LevelLine:
    """The unions of a level: how many there are, have a centre of their own, any place at or below, and none."""

    level: str
    unions: int
    with_centre: int
    covered: int

    @property
    def without(self) -> int:
        """Those with nothing."""
        return self.unions - self.covered


def open_places(program_year: ProgramYear, place: Any = Centre) -> ColumnElement[bool]:
    """The condition for places of the sponsor that are open on the day that the year is looked at on."""
    day = day_of(program_year)
    is_open = and_(place.opened_on <= day, or_(place.closed_on.is_(None), place.closed_on >= day))
    return and_(place.sponsor_id == program_year.org_id, is_open)


def totals(program_year: ProgramYear, scope: Scope) -> tuple[int, int]:
    """Centres and stations in the scope, the sponsor's own among them."""
    count = func.count()
    row = db.session.execute(
        select(count.filter(Centre.kind == "centre"), count.filter(Centre.kind == "station")).where(
            open_places(program_year), scope.covers(Centre.org_path)
        )
    ).one()
    return row[0], row[1]


def by_city(program_year: ProgramYear, scope: Scope) -> list[CityLine]:
    """The cities that the reader sees anything of, also those without a place."""
    count = func.count(Centre.id)
    below = and_(open_places(program_year), lies_below(Centre.org_path, Org.path), scope.covers(Centre.org_path))
    rows = db.session.execute(
        select(
            Org.code,
            Org.short_name,
            Org.path,
            count.filter(Centre.kind == "centre"),
            count.filter(Centre.kind == "station"),
        )
        .outerjoin(Centre, below)
        .where(Org.level == "city", *_of_sponsor(program_year))
        .group_by(Org.id)
        .order_by(Org.path)
    )
    return [
        CityLine(code, name, centres, stations) for code, name, path, centres, stations in rows if scope.touches(path)
    ]


def points(program_year: ProgramYear, scope: Scope) -> list[tuple[str, float, float]]:
    """Name, longitude and latitude of the places whose point is known."""
    rows = db.session.execute(
        select(Centre.name, Centre.longitude, Centre.latitude)
        .where(open_places(program_year), scope.covers(Centre.org_path), Centre.longitude.is_not(None))
        .order_by(Centre.id)
    )
    return [(name, float(east or 0), float(north or 0)) for name, east, north in rows]


def coverage(program_year: ProgramYear, scope: Scope) -> list[LevelLine]:
    """For each level, its unions in the scope and how far the network reaches."""
    own = exists().where(open_places(program_year), Centre.org_id == Org.id, Centre.kind == "centre")
    count = func.count()
    rows = db.session.execute(
        select(Org.level, count, count.filter(own), count.filter(_is_covered(program_year)))
        .where(*_unions(program_year, scope), Org.level.in_(LEVELS))
        .group_by(Org.level)
    )
    found = {level: LevelLine(level, unions, centres, covered) for level, unions, centres, covered in rows}
    return [found[level] for level in LEVELS if level in found]


def without(program_year: ProgramYear, scope: Scope, level: str, after: str = "") -> list[Org]:
    """A page of unions of a level with no place at or below them, behind the path ``after``; one more for the next."""
    query = select(Org).where(
        *_unions(program_year, scope), Org.level == level, ~_is_covered(program_year), Org.path > after
    )
    return list(db.session.scalars(query.order_by(Org.path).limit(PAGE + 1)))


def _of_sponsor(program_year: ProgramYear) -> list[ColumnElement[bool]]:
    """Unions of regions: an industry union ranks as a city, and is none."""
    return [Org.active.is_(True), Org.kind == "regional", subtree(Org.path, program_year.org_path)]


def _unions(program_year: ProgramYear, scope: Scope) -> list[ColumnElement[bool]]:
    return [*_of_sponsor(program_year), scope.covers(Org.path)]


def _is_covered(program_year: ProgramYear) -> ColumnElement[bool]:
    """Whether a union has a place at itself or below: it lies on the way down to one."""
    place = aliased(Centre)
    return exists().where(open_places(program_year, place), lies_below(place.org_path, Org.path))
