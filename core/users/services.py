"""Making and changing users and what they may do. Each call checks the actor, commits once and leaves an audit line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.audit.services import SYSTEM, Actor, record
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.pinyin import spell, spell_name
from core.plugin.registry import registry_of
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.access import refuse, require, scope_of, today
from core.users.conflicts import refuse_conflict
from core.users.leaving import close
from core.users.login import check_own_password, normalise
from core.users.models import MAILING, Grant, Session, User
from core.users.passwords import check_password, hash_password, random_password
from core.users.queries import has_username
from core.users.roles import ROLES
from core.users.second_factor import drop, factor_of
from core.users.sessions import end_sessions, renew

#: How long a password that somebody else gave lets its user in, to choose another one.
FIRST_PASSWORD = timedelta(days=7)
FACTOR_RESET = TaskKind(
    code="users.factor_reset",
    title=_l("An administrator has removed your second factor; if you did not ask for it, say so at once"),
    endpoint="users.account",
)
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
    actor: Actor,
    username: str,
    name: str,
    password: str,
    org: Org,
    grants: Sequence[GrantRequest] = (),
    *,
    first: bool = True,
) -> User:
    """Make a user of ``org`` with these grants. Raises :class:`ZhijiaError` at the field that is wrong.

    The password is to be changed at the first login, within :data:`FIRST_PASSWORD`, unless it is no ``first`` one.
    """
    user = add_user(actor, username, name, password, org, grants, first=first)
    db.session.commit()
    return user


def add_user(
    actor: Actor,
    username: str,
    name: str,
    password: str | None,
    org: Org,
    grants: Sequence[GrantRequest],
    *,
    first: bool = True,
) -> User:
    """As :func:`create_user`, in the caller's transaction. Without a password nobody gets in until there is one."""
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
    if password is not None:
        check_password(password, _telling_words(username, name, org))
    user = User(
        username=username,
        name=name,
        password_hash=hash_password(password) if password is not None else "",
        password_until=datetime.now(UTC) + FIRST_PASSWORD if first else None,
        org_id=org.id,
        org_path=org.path,
    )
    db.session.add(user)
    db.session.flush()
    record(actor, "user.create", _subject(user), org.path, username=username)
    for request in grants:
        add_grant(actor, user, request)
    return user


def give_first_password(user: User, password: str) -> None:
    """Give a user who was just added a password, to be changed at the first login. In the caller's transaction."""
    user.password_hash, user.password_until = hash_password(password), datetime.now(UTC) + FIRST_PASSWORD


def give_grant(actor: Actor, user: User, request: GrantRequest) -> Grant:
    """Give ``user`` a role. Nobody gives one to themselves."""
    _require_command(actor, user)
    grant = add_grant(actor, user, request)
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
    """Close an account, with its sessions, second factor and roles, or open it again, which gives none of them back."""
    _require_command(actor, user)
    if active:
        user.active, user.reopened_at = True, datetime.now(UTC)
        record(actor, "user.activate", _subject(user), user.org_path)
    else:
        close(actor, user)
    db.session.commit()


def reset_password(actor: Actor, user: User) -> str:
    """Give ``user`` a random password, which is returned to be told once; ends open sessions."""
    password = random_password()
    set_password(actor, user, password)
    return password


def set_password(actor: Actor, user: User, password: str, *, first: bool = True) -> None:
    """Give ``user`` this password, to be changed at the next login unless it is no ``first`` one.

    Open sessions end.
    """
    _require_command(actor, user)
    check_password(password, _telling_words(user.username, user.name, _org_of(user)))
    user.password_hash = hash_password(password)
    user.password_until = datetime.now(UTC) + FIRST_PASSWORD if first else None
    end_sessions(Session.user_id == user.id, "password")
    record(actor, "user.reset_password", _subject(user), user.org_path)
    db.session.commit()


def change_own_password(user: User, current: str, new: str, address: str, session: Session) -> str:
    """Change one's own password; ends all other sessions and returns the new token of this one.

    Raises :class:`ZhijiaError` at the field ``current`` or ``password``; wrong ones count like failed logins.
    """
    check_own_password(user, current, address, field="current")
    check_password(new, _telling_words(user.username, user.name, _org_of(user)))
    if current == new:
        raise ZhijiaError(_("The new password is the same as the old one."), field="password")
    user.password_hash = hash_password(new)
    user.password_until = None
    end_sessions((Session.user_id == user.id) & (Session.id != session.id), "password")
    token = renew(session)
    record(user, "user.change_password", _subject(user), user.org_path)
    db.session.commit()
    return token


def end_sessions_of(actor: Actor, user: User) -> int:
    """End all open sessions of somebody else; returns how many."""
    _require_command(actor, user)
    count = end_sessions(Session.user_id == user.id, "administrator")
    record(actor, "user.end_session", _subject(user), user.org_path, sessions=count)
    db.session.commit()
    return count


def reset_second_factor(actor: Actor, user: User) -> None:
    """Take away the second factor of somebody else, who has lost their device; ends open sessions and tells them."""
    _require_command(actor, user)
    if factor_of(user) is None:
        raise Refused(_("This user has no second factor."))
    drop(user)
    end_sessions(Session.user_id == user.id, "second_factor")
    notify(FACTOR_RESET, [user.id], _subject(user))
    record(actor, "user.reset_second_factor", _subject(user), user.org_path)
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


def _org_of(user: User) -> Org:
    return db.session.get_one(Org, user.org_id)


def _telling_words(username: str, name: str, org: Org) -> tuple[str, ...]:
    """What somebody would try as a password who knows the user."""
    return username, name, spell_name(name).pinyin, org.short_name, spell(org.short_name).pinyin


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


def add_grant(actor: Actor, user: User, request: GrantRequest) -> Grant:
    """As :func:`give_grant`, in the caller's transaction and of a user whom the actor may command."""
    require(actor, "user.manage", request.org.path)
    if request.role not in ROLES:
        raise ZhijiaError(_("There is no such role."), field="role")
    if request.program is not None and request.program not in registry_of().programs:
        raise ZhijiaError(_("There is no such program."), field="program")
    if request.until is not None and request.until < today():
        raise ZhijiaError(_("The last day of a role must not lie in the past."), field="until")
    wanted = (request.role, request.org.id, request.program)
    known = next((one for one in user.grants if (one.role, one.org_id, one.program) == wanted), None)
    if known and (known.until is None or known.until >= today()):
        raise Refused(_("The user already holds this role there."), field="role")
    refuse_conflict(user, request.role, request.org.path, request.program)
    grant = known or Grant(role=request.role, org_id=request.org.id, org_path=request.org.path, program=request.program)
    grant.until = request.until
    if known is None:
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
