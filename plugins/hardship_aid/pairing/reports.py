"""Coverage of pairing (全覆盖、不遗漏): leaders, workers, visits, and who was left out."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Integer, Select, String, case, cast, func, literal, null, select, union_all

from core.api import Column, Report, ReportContext
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.pairing.models import Pair, PairVisit
from plugins.hardship_aid.pairing.queries import needed, standing, stood_on, unpaired, visits_by_pair, visits_of
from plugins.hardship_aid.pairing.words import RANKS
from plugins.hardship_aid.words import PROGRAM, VIEW

MEASURES = ("pairs", "leaders", "workers", "visits", "lacking", "unpaired")


def coverage(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """A fact for each pair that stands, each visit of the year, and each worker on file without a pair.

    Leaders and workers are distinct however the facts are added up: each counts in the fact of one of the pairs only,
    a leader in the first at the union (told by name, post and unit), a worker in that with the leader of the highest
    rank. So by rank a worker counts once, under the highest.
    """
    facts = union_all(_pairs(context), _visits(context), _unpaired(context)).subquery()
    return select(facts)


def _pairs(context: ReportContext) -> Select[*tuple[Any, ...]]:
    year = context.program_year
    made = visits_by_pair(year)
    ranks = case({code: place for place, code in enumerate(RANKS)}, value=Pair.rank)
    leader = (Pair.org_id, Pair.leader, Pair.post, Pair.unit)
    return (
        _fact(
            Pair.org_path,
            Pair.rank,
            pairs=literal(1),
            leaders=_first(func.row_number().over(partition_by=leader, order_by=Pair.id)),
            workers=_first(func.row_number().over(partition_by=Pair.person_id, order_by=(ranks, Pair.id))),
            lacking=case((func.coalesce(made.c.visits, 0) < needed(year), 1), else_=0),
        )
        .outerjoin(made, visits_of(made))
        .where(*standing(year, context.scope))
    )


def _visits(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """Visits under the rank that the leader had on the day."""
    of_visit = Pair.person_id == PairVisit.person_id, Pair.leader == PairVisit.leader
    rank = select(Pair.rank).where(*of_visit, stood_on(Pair, PairVisit.visited_on)).order_by(Pair.id).limit(1)
    return _fact(PairVisit.org_path, rank.correlate(PairVisit).scalar_subquery(), visits=literal(1)).where(
        PairVisit.program_year_id == context.program_year.id, context.scope.covers(PairVisit.org_path)
    )


def _unpaired(context: ReportContext) -> Select[*tuple[Any, ...]]:
    return _fact(File.org_path, cast(null(), String), unpaired=literal(1)).where(
        *unpaired(context.program_year), context.scope.covers(File.org_path)
    )


def _fact(org_path: Any, rank: Any, **counts: ColumnElement[int]) -> Select[*tuple[Any, ...]]:
    """A ``SELECT`` of all columns; the measures that are not given are 0."""
    measures = [cast(counts.get(name, literal(0)), Integer).label(name) for name in MEASURES]
    return select(org_path.label("org_path"), rank.label("rank"), *measures)


def _first(number: ColumnElement[int]) -> ColumnElement[int]:
    return case((number == 1, 1), else_=0)


COVERAGE = Report(
    code="hardship_aid.coverage",
    program=PROGRAM,
    title=_l("Coverage of pairing"),
    permission=VIEW,
    columns=(
        Column(name="rank", title=_l("Rank"), kind="choice", choices=RANKS),
        Column(name="pairs", title=_l("Pairs"), kind="number"),
        Column(name="leaders", title=_l("Paired leaders"), kind="number"),
        Column(name="workers", title=_l("Workers"), kind="number"),
        Column(name="visits", title=_l("Visits in the year"), kind="number"),
        Column(name="lacking", title=_l("Pairs without enough visits"), kind="number"),
        Column(name="unpaired", title=_l("Workers on file without a pair"), kind="number"),
    ),
    select=coverage,
)
