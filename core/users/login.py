"""Logging in, slowed down by name and by address so that passwords cannot be guessed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, delete, func, select

from core.audit.services import record
from core.errors import Refused
from core.extensions import db
from core.users.models import LoginFailure, User
from core.users.passwords import LONGEST, hash_password, needs_rehash, verify_password


class WrongLogin(Refused):
    """Name and password do not fit; the sentence never says which."""

    status = 401


class TooManyFailures(Refused):
    """Too many failures of this name or from this address; the sentence says how long to wait."""

    status = 429


@dataclass(frozen=True, slots=True)
class Throttle:
    """How many failures within ``window`` stop further tries. A whole office often shares one address."""

    per_name: int = 5
    per_address: int = 20
    window: timedelta = timedelta(minutes=15)


THROTTLE = Throttle()


def normalise(username: str) -> str:
    """User names are compared without surrounding blanks and in lower case."""
    return username.strip().lower()


def log_in(username: str, password: str, address: str, *, now: datetime | None = None) -> User:
    """The active user that name and password belong to. Raises :class:`WrongLogin` or :class:`TooManyFailures`.

    Names that nobody has cost the same time and get the same answer. ``now`` (UTC) is the clock, for tests.
    """
    now = now or datetime.now(UTC)
    username = normalise(username)[:LONGEST]
    user = _proved(username, password, address, now)
    if user is None:
        raise WrongLogin(_("The user name or the password is wrong."))
    if needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    user.last_login_at = now
    record(user, "user.login", f"user:{user.id}", user.org_path)
    db.session.commit()
    return user


def reauthenticate(user: User, password: str, address: str, *, now: datetime | None = None) -> None:
    """Have the user who is logged in prove it again with their own password, before what cannot be taken back.

    Wrong ones count like failed logins. Raises :class:`WrongLogin` or :class:`TooManyFailures` at the field
    ``password``. Call it before anything is changed: it commits. ``now`` (UTC) is the clock, for tests.
    """
    try:
        if _proved(user.username, password, address, now or datetime.now(UTC)) is None:
            raise WrongLogin(_("Your password is wrong; nothing was done."))
    except Refused as error:
        error.field = "password"
        raise
    db.session.commit()


def _proved(username: str, password: str, address: str, now: datetime) -> User | None:
    """The active user that name and password belong to, whose failures are then forgotten; else one more is noted."""
    # Tries of one name wait for each other, so that many at once do not slip past the count.
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(username, 0))))
    _check_throttle(username, address, now)
    user = db.session.scalar(select(User).where(User.username == username))
    fits = verify_password(user.password_hash if user else None, password[: LONGEST + 1])
    if user is None or not fits or not user.active:
        _note_failure(username, address, now)
        return None
    db.session.execute(delete(LoginFailure).where(LoginFailure.username == username))
    return user


def _check_throttle(username: str, address: str, now: datetime) -> None:
    waits = [
        _free_at(LoginFailure.username == username, THROTTLE.per_name, now),
        _free_at(LoginFailure.address == address, THROTTLE.per_address, now),
    ]
    free_at = max((wait for wait in waits if wait), default=None)
    if free_at is None:
        return
    db.session.rollback()
    minutes = -((now - free_at) // timedelta(minutes=1))
    raise TooManyFailures(_("Too many failed logins. Try again in %(minutes)s min.", minutes=minutes))


def _free_at(which: ColumnElement[bool], limit: int, now: datetime) -> datetime | None:
    """When the ``limit``-th newest failure leaves the window; none if there are fewer within it."""
    oldest = db.session.scalar(
        select(LoginFailure.at)
        .where(which, LoginFailure.at > now - THROTTLE.window)
        .order_by(LoginFailure.at.desc())
        .offset(limit - 1)
        .limit(1)
    )
    return oldest + THROTTLE.window if oldest else None


def _note_failure(username: str, address: str, now: datetime) -> None:
    db.session.execute(delete(LoginFailure).where(LoginFailure.at <= now - THROTTLE.window))
    db.session.add(LoginFailure(username=username, address=address, at=now))
    db.session.commit()
