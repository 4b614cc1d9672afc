"""Reading the tree of unions."""

from sqlalchemy import case, func, select
from sqlalchemy.orm import aliased

from core.extensions import db
from core.org.divisions import Known
from core.org.models import LEVELS, Org
from core.org.scope import subtree


def by_code(code: str) -> Org | None:
    """The org with this code, in whatever scope; who asks for a user checks the scope of what comes back."""
    return db.session.scalars(select(Org).where(Org.code == code)).one_or_none()


def known_orgs() -> dict[str, Known]:
    """Every org by its code, with what a loaded file is checked against."""
    parent = aliased(Org)
    rows = db.session.execute(
        select(Org.code, Org.level, parent.code, Org.short_name).outerjoin(parent, Org.parent_id == parent.id)
    )
    return {code: Known(level, parent_code or "", short_name) for code, level, parent_code, short_name in rows}


def children(org_id: int) -> list[Org]:
    """The orgs directly below one: first those by region, then the industry unions and listed units."""
    rank = case((Org.kind == "regional", 0), (Org.kind == "industry", 1), (Org.kind == "listed", 2), else_=3)
    return list(db.session.scalars(select(Org).where(Org.parent_id == org_id).order_by(rank, Org.code)))


def count_by_level(path: str) -> dict[str, int]:
    """How many orgs there are below ``path`` at each level, from the top down; levels without any are left out."""
    numbers = select(Org.level, func.count()).where(subtree(Org.path, path), Org.path != path).group_by(Org.level)
    counts = dict(db.session.execute(numbers).all())
    return {level: counts[level] for level in LEVELS if level in counts}


def township_codes(path: str) -> list[str]:
    """The codes of the active townships at or below ``path`` that have a division's code (9 digits)."""
    return list(
        db.session.scalars(
            select(Org.code)
            .where(subtree(Org.path, path), Org.level == "township", Org.active, Org.code.regexp_match("^[0-9]{9}$"))
            .order_by(Org.code)
        )
    )
