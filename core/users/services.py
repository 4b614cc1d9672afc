"""Making and changing users and what they may do. Each call checks the actor, commits once and leaves an audit line."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask_babel import gettext as _

from core.audit.services import SYSTEM, Actor, record
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.plugin.registry import registry_of
from core.users.access import refuse, require, scope_of, today
from core.users.login import normalise
from core.users.models import MAILING, Grant, User
from core.users.passwords import check_password, hash_password, random_password, verify_password
from core.users.queries import has_username
from core.users.roles import ROLES

LANGUAGES = {"zh": "中文", "en": "English"}
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")


@dataclass(frozen=True, kw_only=True)
class GrantRequest:
    """A role on an org subtree, for every program or for one, for good or until a day (inclusive)."""

    role: str
    org: Org
    program: str | None = None
    until: date | None = None


def create_user(
    actor: Actor, username: str, name: str, password: str, org: Org, grants: Sequence[GrantRequest] = ()
) -> User:
    """Make a user of ``org`` with these grants. Raises :class:`ZhijiaError` at the field that is wrong."""
    require(actor, "user.manage", org.path)
    username, name = normalise(username), name.strip()
    if not _USERNAME.fullmatch(username):
        raise ZhijiaError(
            _("A user name has 2 to 40 letters a-z, digits, dots, hyphens or underscores."), field="username"
        )
    if not name:
        raise ZhijiaError(_("A user needs a name."), field="name")
    if has_username(username):
        raise Refused(_("The user name “%(name)s” is taken.", name=username), field="username")
    check_password(password, username)
    user = User(
        username=username,
        name=name,
        password_hash=hash_password(password),
        session_token=secrets.token_hex(16),
        org_id=org.id,
        org_path=org.path,
    )
    db.session.add(user)
    db.session.flush()
    record(actor, "user.create", _subject(user), org.path, username=username)
    for request in grants:
        _add_grant(actor, user, request)
    db.session.commit()
    return user


def give_grant(actor: Actor, user: User, request: GrantRequest) -> Grant:
    """Give ``user`` a role. Nobody gives one to themselves."""
    _require_command(actor, user)
    grant = _add_grant(actor, user, request)
    db.session.commit()
    return grant


def take_grant(actor: Actor, user: User, grant_id: int) -> None:
    """Take a role away again. Raises :class:`NotFound` when the user does not hold it."""
    _require_command(actor, user)
    grant = next((grant for grant in user.grants if grant.id == grant_id), None)
    if grant is None:
        raise NotFound(_("The user does not hold this role."))
    require(actor, "user.manage", grant.org_path)
    user.grants.remove(grant)
    db.session.delete(grant)
    record(actor, "user.revoke", _subject(user), grant.org_path, role=grant.role, program=grant.program)
    db.session.commit()


def set_active(actor: Actor, user: User, active: bool) -> None:
    """Close an account or open it again; closing ends its open sessions."""
    _require_command(actor, user)
    user.active = active
    user.session_token = secrets.token_hex(16)
    record(actor, "user.activate" if active else "user.deactivate", _subject(user), user.org_path)
    db.session.commit()


def reset_password(actor: Actor, user: User) -> str:
    """Give ``user`` a random password, which is returned to be told once; ends open sessions."""
    password = random_password()
    set_password(actor, user, password)
    return password


def set_password(actor: Actor, user: User, password: str) -> None:
    """Give ``user`` this password; ends open sessions."""
    _require_command(actor, user)
    check_password(password, user.username)
    _set_password(user, password)
    record(actor, "user.reset_password", _subject(user), user.org_path)
    db.session.commit()


def change_own_password(user: User, current: str, new: str) -> None:
    """Change one's own password; ends every open session, so the caller must log in again."""
    if not verify_password(user.password_hash, current):
        raise ZhijiaError(_("The current password is wrong."), field="current")
    check_password(new, user.username)
    if current == new:
        raise ZhijiaError(_("The new password is the same as the old one."), field="password")
    _set_password(user, new)
    record(user, "user.change_password", _subject(user), user.org_path)
    db.session.commit()


def choose_language(user: User, language: str) -> None:
    """Keep the language that the user reads."""
    if language not in LANGUAGES:
        raise ZhijiaError(_("There is no such language."))
    user.locale = language
    record(user, "user.language", _subject(user), user.org_path, language=language)
    db.session.commit()


def set_mail(actor: Actor, user: User, email: str, mailing: str) -> None:
    """Keep where e-mails go (empty: nowhere) and how often; by the user, or by who manages them.

    The audit line has no address.
    """
    if actor.id != user.id:
        _require_command(actor, user)
    if mailing not in MAILING:
        raise ZhijiaError(_("There is no such choice."), field="mailing")
    user.email, user.mailing = email or None, mailing
    record(actor, "user.mail", _subject(user), user.org_path, mailing=mailing, has_email=bool(email))
    db.session.commit()


def _subject(user: User) -> str:
    return f"user:{user.id}"


def _set_password(user: User, password: str) -> None:
    user.password_hash = hash_password(password)
    user.session_token = secrets.token_hex(16)


def _require_command(actor: Actor, user: User) -> None:
    """The actor manages the user's org and every org that the user holds a role on, and is somebody else.

    Without the second, a city's administrator could reset the password of a user who may act for the province.
    """
    if actor is SYSTEM:
        return
    if actor.id == user.id:
        raise Forbidden(_("You cannot change your own account here; ask another administrator."))
    scope = scope_of(actor, "user.manage") if isinstance(actor, User) else None
    if scope is None or not all(scope.includes(path) for path in (user.org_path, *(g.org_path for g in user.grants))):
        refuse("user.manage")


def _add_grant(actor: Actor, user: User, request: GrantRequest) -> Grant:
    require(actor, "user.manage", request.org.path)
    if request.role not in ROLES:
        raise ZhijiaError(_("There is no such role."), field="role")
    if request.program is not None and request.program not in registry_of().programs:
        raise ZhijiaError(_("There is no such program."), field="program")
    if request.until is not None and request.until < today():
        raise ZhijiaError(_("The last day of a role must not lie in the past."), field="until")
    wanted = (request.role, request.org.id, request.program)
    if any((grant.role, grant.org_id, grant.program) == wanted for grant in user.grants):
        raise Refused(_("The user already holds this role there."), field="role")
    grant = Grant(
        role=request.role,
        org_id=request.org.id,
        org_path=request.org.path,
        program=request.program,
        until=request.until,
    )
    user.grants.append(grant)
    record(
        actor,
        "user.grant",
        _subject(user),
        request.org.path,
        role=request.role,
        program=request.program,
        until=request.until.isoformat() if request.until else None,
    )
    return grant
