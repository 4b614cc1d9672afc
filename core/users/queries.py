"""Reading users: only those of the orgs in the reader's scope."""

from sqlalchemy import select

from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.users.models import Grant, User


def has_username(username: str) -> bool:
    """Whether anybody has this name."""
    return db.session.scalar(select(User.id).where(User.username == username)) is not None


def by_username(username: str) -> User | None:
    """The user with this name."""
    return db.session.scalar(select(User).where(User.username == username))


def by_session(identity: str) -> User | None:
    """The active user whom a session cookie belongs to; none when its token is no longer the user's."""
    user_id, _separator, token = identity.partition(":")
    user = db.session.get(User, int(user_id)) if user_id.isdecimal() else None
    return user if user and user.active and user.session_token == token else None


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
