"""Roles that do not go together in one hand (core/users/roles.py): refused when given, found where they are held."""

from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, String, and_, exists, literal, or_, select, tuple_
from sqlalchemy.orm import aliased

from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.org.scope import PathColumn, lies_below
from core.users.access import today
from core.users.models import Grant, User
from core.users.roles import INCOMPATIBLE, ROLES


def refuse_conflict(user: User, role: str, path: str, program: str | None) -> None:
    """Raise :class:`Refused` at the field ``role`` when the user holds one that does not go together with it there."""
    against = {other for pair in INCOMPATIBLE if role in pair for other in pair - {role}}
    held = select(Grant).where(
        Grant.user_id == user.id,
        Grant.role.in_(sorted(against)),
        _counts(Grant),
        _share_programs(Grant.program, literal(program, String)),
        _overlap(Grant.org_path, literal(path)),
    )
    found = db.session.scalars(held.order_by(Grant.id).limit(1)).first()
    if found:
        raise Refused(
            _(
                "“%(held)s” and “%(wanted)s” do not go together over the same unions: %(reason)s.",
                held=ROLES[found.role],
                wanted=ROLES[role],
                reason=INCOMPATIBLE[frozenset({found.role, role})],
            ),
            field="role",
        )


def conflicts() -> list[tuple[User, Grant, Grant]]:
    """Every user of an open account who holds two roles that do not go together, with both."""
    one, other = aliased(Grant), aliased(Grant)
    pairs = [tuple(sorted(pair)) for pair in INCOMPATIBLE]
    query = (
        select(User, one, other)
        .join(one, one.user_id == User.id)
        .join(other, other.user_id == User.id)
        .where(
            User.active,
            tuple_(one.role, other.role).in_(pairs),
            _counts(one),
            _counts(other),
            _share_programs(one.program, other.program),
            _overlap(one.org_path, other.org_path),
        )
        .order_by(User.username, one.id, other.id)
    )
    return [(user, first, second) for user, first, second in db.session.execute(query)]


def reason_of(one: Grant, other: Grant) -> str:
    """Why two roles do not go together."""
    return str(INCOMPATIBLE[frozenset({one.role, other.role})])


def _counts(grant: Any) -> ColumnElement[bool]:
    return or_(grant.until.is_(None), grant.until >= today())


def _share_programs(one: PathColumn, other: PathColumn) -> ColumnElement[bool]:
    return or_(one.is_(None), other.is_(None), one == other)


def _overlap(one: PathColumn, other: PathColumn) -> ColumnElement[bool]:
    """Whether two subtrees share a union, also one that belongs to an industry union at the top of either."""
    return or_(_nested(one, other), _member(one, other), _member(other, one))


def _nested(one: PathColumn, other: PathColumn) -> ColumnElement[bool]:
    return or_(lies_below(one, other), lies_below(other, one))


def _member(industry: PathColumn, tree: PathColumn) -> ColumnElement[bool]:
    return exists(select(Org.id).where(and_(lies_below(Org.industry_path, industry), _nested(Org.path, tree))))
