"""Sessions, which the server keeps: opened at login, used by each request, ended by their user, by others or by time.

The browser holds a random token, the database its digest. A token is replaced whenever the rights of its session
rise, so that one which somebody planted or saw before is worth nothing afterwards.
"""

import re
import secrets
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, select, update

from core.audit.services import record
from core.config import settings_of
from core.errors import NotFound, Refused
from core.extensions import db
from core.users.models import SecondFactor, Session, User
from core.wall import beyond_scope

#: How exactly it is known when a session was last used: a write for every request would cost more than it tells.
SEEN_EVERY = timedelta(minutes=1)
#: How long a login may wait for its second factor.
HALFWAY = timedelta(minutes=10)
#: How long it can be looked up that somebody was there.
KEPT = timedelta(days=30)
_BROWSERS = (
    ("MicroMessenger", r"MicroMessenger/"),
    ("Edge", r"Edg/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/"),
    ("Chrome", r"Chrome/"),
    ("Safari", r"Safari/"),
)
_SYSTEMS = ("Windows", "Android", "iPhone", "iPad", "Mac OS X", "Linux")


class Used(NamedTuple):
    """A session that holds, its user, and whether they have a second factor that it still waits for."""

    session: Session
    user: User
    has_second: bool

    @property
    def is_halfway(self) -> bool:
        """Whether only the password was given, of somebody whose second factor is asked for."""
        return self.has_second and not self.session.second


def family_of(agent: str) -> str:
    """The browser and the system that a ``User-Agent`` names, such as ``Firefox, Windows``; no versions."""
    browser = next((name for name, sign in _BROWSERS if re.search(sign, agent)), "")
    system = next((name for name in _SYSTEMS if name in agent), "")
    return ", ".join(part for part in (browser, system) if part)


def digest_of(token: str) -> bytes:
    """What the database keeps of a token; it is random enough for a plain digest."""
    return sha256(token.encode()).digest()


def open_session(user: User, address: str, agent: str, now: datetime) -> str:
    """Begin a session and return its token. In the caller's transaction."""
    token = secrets.token_urlsafe(32)
    row = {"digest": digest_of(token), "address": address, "browser": family_of(agent)}
    db.session.add(Session(user_id=user.id, created_at=now, seen_at=now, **row))
    return token


def renew(session: Session, *, second: bool | None = None) -> str:
    """Give a session whose rights rise another token, which is returned. In the caller's transaction."""
    token = secrets.token_urlsafe(32)
    session.digest = digest_of(token)
    if second is not None:
        session.second = second
    return token


@beyond_scope("users.session")  # nobody is known before their session is found
def use(token: str, *, counts: bool = True, now: datetime | None = None) -> Used | None:
    """The session of a token and its user, unless it has ended or just ran out.

    ``counts`` says that somebody is there: what a page asks by itself does not keep it alive. ``now`` (UTC) is the
    clock, for tests.
    """
    now = now or datetime.now(UTC)
    query = (
        select(Session, User, SecondFactor.user_id.is_not(None))
        .join(User, User.id == Session.user_id)
        .outerjoin(SecondFactor, SecondFactor.user_id == Session.user_id)
        .where(Session.digest == digest_of(token), Session.ended_at.is_(None), User.active)
    )
    row = db.session.execute(query).first()
    if row is None:
        return None
    used = Used(row[0], row[1], row[2] and settings_of().second_factor)
    why = _runs_out(used, now)
    if why:
        end_sessions(Session.id == used.session.id, why, now)
        db.session.commit()
        return None
    if counts and now - used.session.seen_at >= SEEN_EVERY:
        used.session.seen_at = now
        db.session.commit()
        for kept in (used.session, used.user):  # read again while they are in reach
            db.session.refresh(kept)
    return used


def _runs_out(used: Used, now: datetime) -> str | None:
    settings = settings_of()
    if now - used.session.seen_at >= settings.session_idle:
        return "idle"
    if now - used.session.created_at >= (HALFWAY if used.is_halfway else settings.session_limit):
        return "limit"
    return None


@beyond_scope("users.session")  # an administrator ends the sessions of others, a login those of nobody yet
def end_sessions(which: ColumnElement[bool], why: str, now: datetime | None = None) -> int:
    """End the open ones of these sessions; returns how many. In the caller's transaction."""
    done = (
        update(Session)
        .where(which, Session.ended_at.is_(None))
        .values(ended_at=now or datetime.now(UTC), ended_why=why)
    )
    return len(db.session.execute(done.returning(Session.id)).all())


def end_own(user: User, session_id: int, current: Session) -> None:
    """End another one of one's own sessions. Raises :class:`NotFound`, :class:`Refused` for the one that asks."""
    if session_id == current.id:
        raise Refused(_("This is the session that you are using; log out instead."))
    if not end_sessions((Session.id == session_id) & (Session.user_id == user.id), "user"):
        raise NotFound(_("There is no such session, or it has ended already."))
    record(user, "user.end_session", f"user:{user.id}", user.org_path, sessions=1)
    db.session.commit()


def end_others(user: User, current: Session) -> int:
    """End all of one's own sessions but the one that asks; returns how many."""
    count = end_sessions((Session.user_id == user.id) & (Session.id != current.id), "user")
    record(user, "user.end_session", f"user:{user.id}", user.org_path, sessions=count)
    db.session.commit()
    return count


def log_out(token: str) -> None:
    """End the session of a token, if it has one."""
    end_sessions(Session.digest == digest_of(token), "logout")
    db.session.commit()
