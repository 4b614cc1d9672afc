"""Logging in and proving it again: the password, then the second factor of those who have one.

Tries are counted by account and by address, so that neither can be guessed (core/users/throttle.py).
"""

from datetime import UTC, datetime
from typing import NamedTuple

from flask_babel import gettext as _
from sqlalchemy import select

from core.audit.services import SYSTEM, look, record
from core.errors import Forbidden, Refused
from core.extensions import db
from core.org.queries import root_path
from core.users.models import User
from core.users.passwords import LONGEST, hash_password, needs_rehash, verify_password
from core.users.second_factor import check_code, factor_of
from core.users.sessions import Used, open_session, renew
from core.users.throttle import begin_try, forgive, note_failure
from core.wall import beyond_scope


class WrongLogin(Refused):
    """Name and password do not fit; the sentence never says which."""

    status = 401


class Opened(NamedTuple):
    """A session that was opened: whose, its token, and whether the second factor is still to come."""

    user: User
    token: str
    is_halfway: bool


def normalise(username: str) -> str:
    """User names are compared without surrounding blanks and in lower case."""
    return username.strip().lower()


def log_in(username: str, password: str, address: str, agent: str = "", *, now: datetime | None = None) -> Opened:
    """Open a session for the active user that name and password belong to.

    Names that nobody has cost the same time and get the same answer. Raises :class:`WrongLogin`,
    :class:`TooManyFailures`, or :class:`Forbidden` when the password was given by somebody else and has run out.
    ``now`` (UTC) is the clock, for tests.
    """
    now = now or datetime.now(UTC)
    user = _proved(normalise(username)[:LONGEST], password, address)
    if user is None:
        raise WrongLogin(_("The user name or the password is wrong."))
    if user.password_until and now >= user.password_until:
        raise Forbidden(_("Your first password has run out; ask the administrator of your union for a new one."))
    if needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
    is_halfway = factor_of(user) is not None
    token = open_session(user, address, agent, now)
    if not is_halfway:
        _note_login(user, now)
    db.session.commit()
    return Opened(user, token, is_halfway)


def give_code(used: Used, code: str, address: str, *, now: datetime | None = None) -> Opened:
    """Finish a login with the second factor; the session gets another token.

    Raises :class:`WrongCode` or :class:`TooManyFailures` at the field ``code``.
    """
    now = now or datetime.now(UTC)
    check_code(used.user, code, address, now=now)
    token = renew(used.session, second=True)
    used.session.created_at = now
    _note_login(used.user, now)
    db.session.commit()
    return Opened(used.user, token, False)


def reauthenticate(user: User, password: str, code: str, address: str, *, now: datetime | None = None) -> None:
    """Have the user who is logged in prove it again before what cannot be taken back: password, and code if they have
    a second factor.

    Wrong ones count like failed logins. Raises :class:`WrongLogin` at the field ``password``, :class:`WrongCode` at
    ``code``, or :class:`TooManyFailures`. Call it before anything is changed: it commits.
    """
    check_own_password(user, password, address)
    if factor_of(user) is not None:
        check_code(user, code, address, now=now)
    db.session.commit()


def check_own_password(user: User, password: str, address: str, field: str = "password") -> None:
    """Have the user prove their password. Raises :class:`WrongLogin` or :class:`TooManyFailures` at ``field``."""
    try:
        if _proved(user.username, password, address) is None:
            raise WrongLogin(_("Your password is wrong; nothing was done."))
    except Refused as error:
        error.field = field
        raise


@beyond_scope("users.login")  # nobody is known yet
def _proved(username: str, password: str, address: str) -> User | None:
    """The active user that name and password belong to, whose failures are then forgotten; else one more is noted."""
    begin_try("password", username, address)
    user = db.session.scalar(select(User).where(User.username == username))
    fits = verify_password(user.password_hash if user else None, password[: LONGEST + 1])
    if user is None or not fits or not user.active:
        note_failure(address)
        _note_failed(user)
        return None
    forgive("password", username)
    return user


def _note_failed(user: User | None) -> None:
    """On record, also where nobody has the name, which is not kept: it might be a password. Both cost the same."""
    top = root_path() or "/"
    subject, path = (f"user:{user.id}", user.org_path) if user is not None else ("user:unknown", top)
    look(SYSTEM, "user.login_failed", subject, path)


def _note_login(user: User, now: datetime) -> None:
    user.last_login_at = now
    record(user, "user.login", f"user:{user.id}", user.org_path)
