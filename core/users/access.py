"""Who may do what where: the scope of a user, from the grants that have not run out.

A grant for one program counts only when that program is asked for. A grant on an industry union also reaches the
enterprises and listed units that belong to it on the second axis, wherever they lie in the regional tree.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from functools import cache

from flask_babel import gettext as _
from sqlalchemy import Select, not_, select

from core.audit.services import SYSTEM, Actor
from core.config import LOCAL_ZONE
from core.errors import Forbidden
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope, lineage
from core.plugin.registry import registry_of
from core.plugin.types import Permission
from core.users.models import Grant, User
from core.users.roles import PERMISSIONS
from core.wall import Reach

#: What sets of subtrees were found to reach, inside :func:`scopes_read_once`.
_read: ContextVar[dict[frozenset[str], Scope]] = ContextVar("scopes that were read")


def today() -> date:
    """The day that people read on the wall: Asia/Shanghai."""
    return datetime.now(LOCAL_ZONE).date()


@cache
def _core_permissions() -> dict[str, Permission]:
    return {item.code: item for item in PERMISSIONS}


def permission_of(code: str) -> Permission | None:
    """The permission with this code; none when its plugin is gone, and then nobody holds it."""
    return _core_permissions().get(code) or registry_of().permissions.get(code)


def _grants(user: User, permission: str) -> Iterable[Grant]:
    known = permission_of(permission)
    return (grant for grant in _counting(user) if known is not None and grant.role in known.roles)


def _counting(user: User) -> Iterable[Grant]:
    """The grants of an open account that have not run out today."""
    day = today()
    return (grant for grant in user.grants if user.active and (grant.until is None or grant.until >= day))


def posts_of(user: User) -> list[tuple[Grant, list[str]]]:
    """Each grant of the user that counts today, with the codes of all permissions that its role holds."""
    known = [*PERMISSIONS, *registry_of().permissions.values()]
    return [(grant, [item.code for item in known if grant.role in item.roles]) for grant in _counting(user)]


def reach_of(user: User, program: str | None = None) -> Reach:
    """How far the database lets ``user`` see: wherever they hold any role that counts today, on pages of ``program``
    without those for another one; and who they are.
    """
    held = (grant for grant in _counting(user) if program is None or grant.program in (None, program))
    return reach_of_orgs([grant.org_path for grant in held], user)


def reach_of_orgs(paths: Iterable[str], user: User | None = None) -> Reach:
    """The same for the subtrees themselves, with the members of the second axis and everything above them."""
    scope = _with_industries(list(paths))
    tops = [*scope.paths, *scope.industries, *([user.org_path] if user else [])]
    above = {prefix for path in tops for prefix in lineage(path)}
    return Reach(scope.paths, user.id if user else None, tuple(sorted(above)))


def scope_of(user: User, permission: str, program: str | None = None) -> Scope:
    """The subtrees in which ``user`` holds ``permission``, for ``program`` or (none) for every program.

    With them come the industry unions that these orgs, or those above them, belong to.
    """
    return _with_industries([grant.org_path for grant in _grants(user, permission) if grant.program in (None, program)])


@contextmanager
def scopes_read_once() -> Iterator[None]:
    """Inside, what the same grants reach is looked up once: for what asks a hundred times and changes nothing."""
    token = _read.set({})
    try:
        yield
    finally:
        _read.reset(token)


def _with_industries(paths: list[str]) -> Scope:
    """These subtrees, their members on the second axis, and the industry unions that they belong to."""
    if not paths:
        return Scope()
    key, read = frozenset(paths), _read.get({})
    if key not in read:
        read[key] = _look_up(paths)
    return read[key]


def _look_up(paths: list[str]) -> Scope:
    own = Scope.of(paths)
    lines = {prefix for path in own.paths for prefix in lineage(path)}
    is_member = own.covers(Org.industry_path) & not_(own.covers(Org.path))
    is_above = Org.path.in_(sorted(lines)) & Org.industry_path.is_not(None)
    rows = db.session.execute(select(Org.path, Org.industry_path).where(is_member | is_above))
    found = [(path, industry) for path, industry in rows if industry]
    members = [path for path, industry in found if own.includes(industry) and not own.includes(path)]
    return Scope.of([*own.paths, *members], [industry for path, industry in found if path in lines])


def held_at(user: User, permission: str, program: str) -> list[Org]:
    """The unions on which ``user`` holds ``permission`` by a grant right there, without those below them."""
    paths = {grant.org_path for grant in _grants(user, permission) if grant.program in (None, program)}
    return list(db.session.scalars(select(Org).where(Org.path.in_(sorted(paths))))) if paths else []


def users_holding(
    permission: str | Iterable[str], program: str | None, *, or_some_program: bool = False
) -> Select[int]:
    """The same from the other side: ids of the active users who hold it, for ``program`` or (none) for every program.

    Of several permissions one is enough; ``or_some_program`` takes those too who hold it for some program only. Narrow
    it down to a place by ``Grant``, which it joins.
    """
    known = [permission_of(code) for code in ([permission] if isinstance(permission, str) else permission)]
    return (
        select(Grant.user_id)
        .join(User, User.id == Grant.user_id)
        .where(
            User.active,
            Grant.role.in_(sorted({role for one in known if one for role in one.roles})),
            Grant.until.is_(None) | (Grant.until >= today()),
            Grant.program.is_(None) | (Grant.program == program) | or_some_program,
        )
    )


def can(user: User, permission: str, org_path: str, program: str | None = None) -> bool:
    """Whether ``user`` holds ``permission`` on the org at ``org_path``."""
    return scope_of(user, permission, program).includes(org_path)


def can_anywhere(user: User, permission: str, program: str | None = None) -> bool:
    """Whether ``user`` holds ``permission`` on some org, for ``program`` or (none) for some program: a menu asks it."""
    return any(program is None or grant.program in (None, program) for grant in _grants(user, permission))


def require(actor: Actor, permission: str, org_path: str, program: str | None = None) -> None:
    """Let through who holds ``permission`` on ``org_path``, and :data:`SYSTEM`. Raises :class:`Forbidden`."""
    if actor is SYSTEM or (isinstance(actor, User) and can(actor, permission, org_path, program)):
        return
    refuse(permission)


def refuse(permission: str) -> None:
    """Raise :class:`Forbidden` with the sentence that names the permission."""
    known = permission_of(permission)
    title = known.title if known else permission
    raise Forbidden(_("You need the permission “%(permission)s” here, which you do not have.", permission=title))
