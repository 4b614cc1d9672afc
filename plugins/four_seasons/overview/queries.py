"""Reading the figures of a year's end: each within the reader's scope for its season. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select, true, tuple_

from core.api import Org, ProgramYear, Scope, User, db, scope_of
from plugins.four_seasons.overview.figures import FIGURES, Figure
from plugins.four_seasons.words import SEASON_TITLES, VIEW

#: Rows on a page.
PAGE = 50


@dataclass(frozen=True)
class Cells:
    """A line of the table: of the sponsor itself, and of all unions that the reader may see; whole fen for yuan.

    None where the season has no such year, or the reader may not see it there.
    """

    figure: Figure
    sponsor: int | None
    everywhere: int | None


@dataclass(frozen=True)
class Row:
    """One row behind a figure, with the short name of its union."""

    org_path: str
    mark: str
    org: str
    what: str
    value: int
    record: int | None


def seasons_of(program_year: ProgramYear) -> dict[str, ProgramYear]:
    """Program -> its year of the same sponsor, of the seasons that are switched on."""
    query = select(ProgramYear).where(
        ProgramYear.program.in_(SEASON_TITLES),
        ProgramYear.year == program_year.year,
        ProgramYear.org_id == program_year.org_id,
        ProgramYear.enabled,
    )
    return {season.program: season for season in db.session.scalars(query)}


def sponsor_of(program_year: ProgramYear) -> Org:
    """The union that the table is of."""
    return db.session.get_one(Org, program_year.org_id)


def table_of(user: User, program_year: ProgramYear) -> list[Cells]:
    """Every figure in the order of the table."""
    seasons = seasons_of(program_year)
    return [cells_of(user, figure, seasons.get(figure.season)) for figure in FIGURES]


def cells_of(user: User, figure: Figure, season: ProgramYear | None) -> Cells:
    """One figure."""
    scope = scope_of(user, VIEW, figure.season)
    if season is None or not scope.paths:
        return Cells(figure, None, None)
    facts = figure.facts(season, scope).subquery().c
    own = facts.org_path == season.org_path
    everywhere, sponsor = db.session.execute(
        select(func.coalesce(func.sum(facts.value), 0), func.coalesce(func.sum(facts.value).filter(own), 0))
    ).one()
    return Cells(figure, int(sponsor) if scope.includes(season.org_path) else None, int(everywhere))


def rows_of(
    user: User, figure: Figure, season: ProgramYear, *, own: bool, after: tuple[str, str] | None = None
) -> list[Row]:
    """A page of the rows behind a cell, by union; ``after`` is the last one's union and mark. One more tells of more.

    ``own``: those of the sponsor itself.
    """
    scope: Scope = scope_of(user, VIEW, figure.season)
    facts = figure.facts(season, scope).subquery().c
    place: Sequence[Any] = (facts.org_path, facts.mark)
    query = (
        select(facts.org_path, facts.mark, Org.short_name, facts.what, facts.value, facts.record)
        .join(Org, Org.path == facts.org_path)
        .where(facts.org_path == season.org_path if own else true())
        .order_by(*place)
        .limit(PAGE + 1)
    )
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*after))
    return [Row(*row) for row in db.session.execute(query)]
