"""The second factor: codes of an authenticator app (TOTP, RFC 6238), and recovery codes for when the device is lost.

Whoever may move money, or give others the right to, must have one. A code is taken once only, also by two requests at
the same moment; recovery codes have 118 random bits, so that a keyed digest is enough to keep them.
"""

import secrets
from base64 import b32encode
from datetime import UTC, datetime
from hashlib import sha256

import pyotp
import segno
from flask_babel import gettext as _
from sqlalchemy import delete, select

from core.audit.services import record
from core.config import settings_of
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.people.secrets import decrypt, digest, encrypt
from core.users.access import posts_of
from core.users.models import SecondFactor, Session, User
from core.users.sessions import end_sessions, renew
from core.users.throttle import begin_try, forgive, note_failure
from core.wall import beyond_scope

#: Who holds one of these must have a second factor: they move money, or decide who does.
MONEY = frozenset({"run.approve", "run.post", "ledger.allot", "ledger.post", "ledger.close", "user.manage"})
STEP = 30  # seconds
#: Steps before and after the present one that are taken: clocks differ, and typing takes time.
DRIFT = 1
RECOVERY_CODES = 10
#: Without characters that are confused on paper.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS = 6


class WrongCode(Refused):
    """The code is wrong, too old, or was used before; the sentence says none of it."""

    status = 401


def is_required(user: User) -> bool:
    """Whether the user may move money today, or manage users: computed from what their roles may do."""
    return settings_of().second_factor and any(not MONEY.isdisjoint(codes) for _grant, codes in posts_of(user))


@beyond_scope("users.second_factor")  # asked at the login too, where nobody is known yet, and by administrators
def factor_of(user: User) -> SecondFactor | None:
    """The user's second factor; none while the installation does without."""
    return db.session.get(SecondFactor, user.id) if settings_of().second_factor else None


def offered_secret(token: str) -> str:
    """The secret that is offered to a session for enrolling: always the same for one token, and stored nowhere."""
    return b32encode(digest("totp", f"offer:{token}")[:20]).decode()


def provisioning(user: User, secret: str) -> str:
    """The address that the QR code holds."""
    return pyotp.TOTP(secret, interval=STEP).provisioning_uri(name=user.username, issuer_name=_("Zhijia"))


def qr_code(address: str) -> str:
    """The QR code of an address, as a ``data:`` address of an SVG picture."""
    return str(segno.make(address, error="m").svg_data_uri(scale=5, border=2))


def enrol(
    user: User, session: Session, secret: str, code: str, *, now: datetime | None = None
) -> tuple[list[str], str]:
    """Take the secret as the user's second factor: the recovery codes, to be shown once, and the session's new token.

    Raises :class:`Refused` when there is one, :class:`ZhijiaError` at the field ``code``.
    """
    now = now or datetime.now(UTC)
    if factor_of(user):
        raise Refused(_("You have a second factor already; remove it first."))
    step = _step_of(secret, code, now)
    if step is None:
        raise ZhijiaError(_("This is not the code that the app shows now."), field="code")
    codes = _new_codes()
    row = {"secret": encrypt("totp", secret), "last_step": step, "codes": _digests(codes)}
    db.session.add(SecondFactor(user_id=user.id, created_at=now, **row))
    end_sessions((Session.user_id == user.id) & (Session.id != session.id), "second_factor", now)
    token = renew(session, second=True)
    record(user, "user.second_factor", _subject(user), user.org_path)
    db.session.commit()
    return codes, token


def renew_codes(user: User) -> list[str]:
    """Ten other recovery codes, to be shown once; those of before are worth nothing any more."""
    factor = factor_of(user)
    if factor is None:
        raise Refused(_("You have no second factor."))
    codes = _new_codes()
    factor.codes = _digests(codes)
    record(user, "user.recovery_codes", _subject(user), user.org_path)
    db.session.commit()
    return codes


def remove(user: User, session: Session) -> str:
    """Remove one's own second factor, as for a new telephone; returns the session's new token."""
    if factor_of(user) is None:
        raise Refused(_("You have no second factor."))
    drop(user)
    end_sessions((Session.user_id == user.id) & (Session.id != session.id), "second_factor")
    token = renew(session, second=False)
    record(user, "user.remove_second_factor", _subject(user), user.org_path)
    db.session.commit()
    return token


@beyond_scope("users.second_factor")  # an administrator drops that of somebody else
def drop(user: User) -> None:
    """Forget a user's second factor. In the caller's transaction, who writes the audit line."""
    db.session.execute(delete(SecondFactor).where(SecondFactor.user_id == user.id))


@beyond_scope("users.second_factor")  # at the login nobody is known yet
def check_code(user: User, code: str, address: str, *, now: datetime | None = None) -> None:
    """Have the user prove their second factor with a code of the app, or with a recovery code.

    Raises :class:`WrongCode` or :class:`TooManyFailures` at the field ``code``. Commits, as a code counts once only.
    ``now`` (UTC) is the clock, for tests.
    """
    try:
        begin_try("code", str(user.id), address)
        if not _take(user, code, now or datetime.now(UTC)):
            db.session.rollback()
            note_failure(address)
            raise WrongCode(_("The code is wrong or was used already; wait for the next one."))
    except Refused as error:
        error.field = "code"
        raise
    forgive("code", str(user.id))
    db.session.commit()


def _take(user: User, code: str, now: datetime) -> bool:
    """Whether the code fits; it fits no second time."""
    locked = select(SecondFactor).where(SecondFactor.user_id == user.id).with_for_update()
    factor = db.session.scalars(locked, execution_options={"populate_existing": True}).first()
    if factor is None:
        return False
    plain = code.replace(" ", "").replace("-", "").lower()
    step = _step_of(decrypt("totp", factor.secret), plain, now)
    if step is not None and step > factor.last_step:
        factor.last_step = step
        return True
    used = _digest(plain)
    if used not in factor.codes:
        return False
    factor.codes = [one for one in factor.codes if one != used]
    record(user, "user.recovery_code_used", _subject(user), user.org_path, left=len(factor.codes))
    return True


def _step_of(secret: str, code: str, now: datetime) -> int | None:
    """The newest step whose code this is, among those that are taken."""
    app, present = pyotp.TOTP(secret, interval=STEP), int(now.timestamp()) // STEP
    plain = code.replace(" ", "")
    fitting = [
        step
        for step in range(present - DRIFT, present + DRIFT + 1)
        if secrets.compare_digest(app.generate_otp(step).encode(), plain.encode())
    ]
    return max(fitting, default=None)


def _new_codes() -> list[str]:
    return [
        "-".join("".join(secrets.choice(_ALPHABET) for _sign in range(4)) for _group in range(_GROUPS))
        for _code in range(RECOVERY_CODES)
    ]


def _digests(codes: list[str]) -> list[str]:
    return [_digest(code.replace("-", "")) for code in codes]


def _digest(plain: str) -> str:
    """A code has 118 bits, so a plain digest will do, and outlives a change of the data key."""
    return sha256(plain.encode()).hexdigest()


def _subject(user: User) -> str:
    return f"user:{user.id}"
