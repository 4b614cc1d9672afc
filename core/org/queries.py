"""Reading the tree of unions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, case, func, or_, select, tuple_
from sqlalchemy.orm import aliased

from core.extensions import db
from core.org.divisions import Known
from core.org.models import KINDS, LEVELS, Org
from core.org.scope import Scope, subtree

PAGE = 50

#: The order of every list: by level, the regional unions before the others, then by place in the tree.
_LEVEL_RANK = case({level: rank for rank, level in enumerate(LEVELS)}, value=Org.level)
_KIND_RANK = case({kind: rank for rank, kind in enumerate(KINDS)}, value=Org.kind)


@dataclass(frozen=True, slots=True)
class OrgRow:
    """An org in a list, with the number of those directly below it."""

    org: Org
    below: int


@dataclass(frozen=True, slots=True)
class OrgPage:
    """One page of a list; ``next`` is the code to go on after, none at the end."""

    rows: Sequence[OrgRow]
    next: str | None


def by_code(code: str) -> Org | None:
    """The org with this code, in whatever scope; who asks for a user checks the scope of what comes back."""
    return db.session.scalars(select(Org).where(Org.code == code)).one_or_none()


def root_path() -> str | None:
    """The path of the whole tree; none before any union is there."""
    return db.session.scalar(select(Org.path).where(Org.parent_id.is_(None)).order_by(Org.id).limit(1))


def known_orgs() -> dict[str, Known]:
    """Every org by its code, with what a loaded file is checked against."""
    parent = aliased(Org)
    rows = db.session.execute(
        select(Org.code, Org.level, Org.kind, parent.code, Org.short_name).outerjoin(parent, Org.parent_id == parent.id)
    )
    return {code: Known(level, kind, above or "", short_name) for code, level, kind, above, short_name in rows}


def children(org_id: int) -> list[Org]:
    """The orgs directly below one: first those by region, then the industry unions and listed units."""
    return list(db.session.scalars(select(Org).where(Org.parent_id == org_id).order_by(_KIND_RANK, Org.code)))


def count_below(path: str) -> dict[str, int]:
    """How many orgs there are below ``path``, by level from the top down, then ``industry`` and ``listed``.

    Industry unions and listed units rank as a city but are not counted among the cities.
    """
    rank = case((Org.kind.in_(("industry", "listed")), Org.kind), else_=Org.level)
    numbers = select(rank, func.count()).where(subtree(Org.path, path), Org.path != path).group_by(rank)
    counts: dict[str, int] = dict(db.session.execute(numbers).all())
    return {key: counts[key] for key in (*LEVELS, "industry", "listed") if key in counts}


def township_codes(path: str) -> list[str]:
    """The codes of the active townships at or below ``path`` that have a division's code (9 digits)."""
    return list(
        db.session.scalars(
            select(Org.code)
            .where(subtree(Org.path, path), Org.level == "township", Org.active, Org.code.regexp_match("^[0-9]{9}$"))
            .order_by(Org.code)
        )
    )


def visible(scope: Scope, code: str) -> Org | None:
    """The org with this code, if it lies in the scope."""
    return db.session.scalars(select(Org).where(Org.code == code, scope.covers(Org.path))).one_or_none()


def tops(scope: Scope) -> list[Org]:
    """The orgs at the top of the scope."""
    return by_paths(scope.paths)


def by_paths(paths: Sequence[str]) -> list[Org]:
    """The orgs with these paths, in the order of the tree; who asks for a user checks the scope."""
    return list(db.session.scalars(select(Org).where(Org.path.in_(paths)).order_by(Org.path)))


def above(scope: Scope, org: Org) -> list[Org]:
    """The orgs above one, from the top down, as far as the scope goes."""
    codes = org.path.strip("/").split("/")[:-1]
    return list(db.session.scalars(select(Org).where(Org.code.in_(codes), scope.covers(Org.path)).order_by(Org.path)))


def industry_of(scope: Scope, org: Org) -> Org | None:
    """The industry union that the org belongs to on the second axis, if it lies in the scope."""
    return db.session.scalars(select(Org).where(Org.path == org.industry_path, scope.covers(Org.path))).one_or_none()


def page_below(scope: Scope, parent: Org, *, after: str = "") -> OrgPage:
    """Up to 50 of the orgs directly below one that lie in the scope."""
    return _page(scope, Org.parent_id == parent.id, after)


def page_of_members(scope: Scope, industry: Org, *, after: str = "") -> OrgPage:
    """Up to 50 of the orgs of the scope that belong to an industry union on the second axis."""
    return _page(scope, subtree(Org.industry_path, industry.path), after)


def called(search: str) -> ColumnElement[bool]:
    """Orgs with this in their name, or at the beginning of their code, their pinyin or its initials."""
    text = search.strip()
    latin = text.lower().replace(" ", "")
    beginnings = (column.startswith(latin, autoescape=True) for column in (Org.initials, Org.pinyin))
    return or_(Org.name.contains(text, autoescape=True), Org.code.startswith(text, autoescape=True), *beginnings)


def _page(scope: Scope, condition: ColumnElement[bool], after: str) -> OrgPage:
    below = aliased(Org)
    number = select(func.count()).where(below.parent_id == Org.id).scalar_subquery()
    query = select(Org, number).where(scope.covers(Org.path), condition)
    last = visible(scope, after) if after else None
    if last:
        place = (LEVELS.index(last.level), KINDS.index(last.kind), last.path)
        query = query.where(tuple_(_LEVEL_RANK, _KIND_RANK, Org.path) > place)
    query = query.order_by(_LEVEL_RANK, _KIND_RANK, Org.path).limit(PAGE + 1)
    rows = [OrgRow(org, count) for org, count in db.session.execute(query)]
    return OrgPage(rows[:PAGE], rows[PAGE - 1].org.code if len(rows) > PAGE else None)
