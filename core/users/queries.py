"""Reading users: only those of the orgs in the reader's scope."""

from datetime import UTC, datetime

from sqlalchemy import select

from core.config import settings_of
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.users.models import Grant, Session, User
from core.wall import beyond_scope


@beyond_scope("users.names")
def has_username(username: str) -> bool:
    """Whether anybody has this name."""
    return db.session.scalar(select(User.id).where(User.username == username)) is not None


@beyond_scope("users.names")
def by_username(username: str) -> User | None:
    """The user with this name."""
    return db.session.scalar(select(User).where(User.username == username))


@beyond_scope("users.sessions")  # an administrator sees the sessions of others
def open_sessions(user: User, now: datetime | None = None) -> list[Session]:
    """The sessions of a user that still hold, the one last used first."""
    now, settings = now or datetime.now(UTC), settings_of()
    holds = (
        Session.ended_at.is_(None),
        Session.seen_at > now - settings.session_idle,
        Session.created_at > now - settings.session_limit,
    )
    query = select(Session).where(Session.user_id == user.id, *holds).order_by(Session.seen_at.desc())
    return list(db.session.scalars(query))


def in_scope(scope: Scope, user_id: int) -> User | None:
    """The user with this id, if of an org in the scope."""
    return db.session.scalar(select(User).where(User.id == user_id, scope.covers(User.org_path)))


def grants_with_orgs(user: User) -> list[tuple[Grant, Org]]:
    """What the user holds, and where, from the top of the tree down."""
    query = select(Grant, Org).join(Org, Org.id == Grant.org_id).where(Grant.user_id == user.id)
    return [(grant, org) for grant, org in db.session.execute(query.order_by(Org.path, Grant.role))]


def org_by_id(org_id: int) -> Org | None:
    """The org with this id (remembered by the session, so that a page may ask again)."""
    return db.session.get(Org, org_id)


def all_users() -> list[tuple[User, str]]:
    """Every user with the name of their org, for the command line."""
    query = select(User, Org.name).join(Org, Org.id == User.org_id).order_by(User.username)
    return [(user, org) for user, org in db.session.execute(query)]
