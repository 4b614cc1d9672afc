"""Reading the visits. Every list keeps to a scope; nothing here writes."""

from dataclasses import dataclass

from sqlalchemy import Select, func, or_, select

from core.api import (
    Org,
    Person,
    ProgramYear,
    Scope,
    User,
    db,
)
from plugins.four_seasons.leaders.models import Leader
from plugins.four_seasons.summer.models import Post
from plugins.four_seasons.visits.models import Visit

#: Visits on a page of their list.
PAGE = 50


@dataclass(frozen=True)
class VisitRow:
    """A visit with its union, the name of the worker or unit, who wrote it down, its post and its leader."""

    visit: Visit
    org: Org
    whom: str
    writer: str
    post: str
    leader: str


def visits_of(program_year: ProgramYear, scope: Scope, *, before: int | None = None) -> list[VisitRow]:
    """A page of visits, newest first; ``before`` is the last one's id. One row more says that there is more."""
    query = _visits(program_year, scope).order_by(Visit.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Visit.id < before)
    return [VisitRow(*row) for row in db.session.execute(query)]


def find_visit(
    program_year: ProgramYear, scope: Scope, *, visit_id: int | None = None, entry_id: int | None = None
) -> VisitRow | None:
    """One visit in the scope, by its number or by the entry that spent or undid it."""
    entry = or_(Visit.entry_id == entry_id, Visit.reversal_id == entry_id)
    query = _visits(program_year, scope).where(Visit.id == visit_id if visit_id is not None else entry)
    row = db.session.execute(query).one_or_none()
    return VisitRow(*row) if row else None


def visited_so_far(program_year: ProgramYear, scope: Scope) -> tuple[int, int]:
    """How many visits of the year stand, and what they came to in fen."""
    count, fen = db.session.execute(
        select(func.count(), func.coalesce(func.sum(Visit.amount_fen), 0)).where(
            Visit.program_year_id == program_year.id, Visit.undone_on.is_(None), scope.covers(Visit.org_path)
        )
    ).one()
    return count, int(fen)


def _visits(program_year: ProgramYear, scope: Scope) -> Select[Visit, Org, str, str, str, str]:
    writer, post, leader = (func.coalesce(name, "") for name in (User.name, Post.post, Leader.name))
    return (
        select(Visit, Org, func.coalesce(Person.name, Visit.unit), writer, post, leader)
        .join(Org, Org.id == Visit.org_id)
        .outerjoin(Person, Person.id == Visit.person_id)
        .outerjoin(User, User.id == Visit.user_id)
        .outerjoin(Post, Post.id == Visit.post_id)
        .outerjoin(Leader, Leader.id == Visit.leader_id)
        .where(Visit.program_year_id == program_year.id, scope.covers(Visit.org_path))
    )
