"""Accounts and roles that come to their end: of who leaves, who does not come any more, on the last day of a role."""

from datetime import UTC, date, datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from core.audit.services import SYSTEM, Actor, record
from core.config import settings_of
from core.extensions import db
from core.org.models import Org
from core.org.scope import lineage
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.access import today, users_holding
from core.users.models import Grant, Session, User
from core.users.roles import ROLES
from core.users.second_factor import drop
from core.users.sessions import end_sessions

#: How long before its last day people are told that a role ends.
NOTICE = timedelta(days=14)
#: The titles of the roles, for messages in the reader's language.
ROLE_KINDS = [TaskKind(code=f"users.role.{code}", title=title, endpoint="") for code, title in ROLES.items()]
MINE_ENDS = TaskKind(
    code="users.my_role_ends", title=_l("Your role “%(role)s” ends on %(until)s"), endpoint="users.account"
)
ROLE_ENDS = TaskKind(
    code="users.role_ends",
    title=_l("The role “%(role)s” of a user ends on %(until)s; give it anew if it is still needed"),
    endpoint="users_admin.show",
)


def close(actor: Actor, user: User) -> None:
    """Close an account: its sessions and its second factor end, and its roles, which stay on record.

    In the caller's transaction. Opening it again gives nothing of it back.
    """
    yesterday = today() - timedelta(days=1)
    ended = [grant for grant in user.grants if grant.until is None or grant.until > yesterday]
    for grant in ended:
        grant.until = yesterday
    user.active = False
    drop(user)
    end_sessions(Session.user_id == user.id, "closed")
    record(actor, "user.deactivate", f"user:{user.id}", user.org_path, roles=sorted({grant.role for grant in ended}))


def close_dormant(*, now: datetime | None = None) -> int:
    """Close the accounts that nobody has used for as long as the installation says; returns how many.

    Never the last administrator of the province: who came last stays. ``now`` (UTC) is the clock, for tests.
    """
    now = now or datetime.now(UTC)
    used = func.greatest(User.created_at, User.last_login_at, User.reopened_at)
    before = now - timedelta(days=settings_of().dormant_days)
    found = list(db.session.scalars(select(User).where(User.active, used <= before).order_by(used, User.id)))
    keepers = users_holding("user.manage", None).join(Org, Org.id == Grant.org_id).where(Org.parent_id.is_(None))
    administrators = set(db.session.scalars(keepers))
    for user in found:
        if administrators == {user.id}:
            continue
        administrators.discard(user.id)
        close(SYSTEM, user)
    db.session.commit()
    return len([user for user in found if not user.active])


def tell_of_ending_roles(day: date) -> int:
    """Tell of each role that ends within :data:`NOTICE`, once: its holder and who manages users there.

    Returns how many messages were written.
    """
    soon = select(Grant).join(User, User.id == Grant.user_id).where(User.active, Grant.until.between(day, day + NOTICE))
    count = 0
    for grant in db.session.scalars(soon.order_by(Grant.id)):
        until = grant.until.isoformat() if grant.until else ""
        data = {"role": {"kind": f"users.role.{grant.role}", "data": {}}, "until": until}
        key, subject = f"grant:{grant.id}:{until}", f"user:{grant.user_id}"
        managers = users_holding("user.manage", None).where(
            Grant.org_path.in_(lineage(grant.org_path)), Grant.user_id != grant.user_id
        )
        count += notify(MINE_ENDS, [grant.user_id], subject, data=data, key=key)
        count += notify(ROLE_ENDS, managers, subject, data=data, address={"user_id": grant.user_id}, key=key)
    db.session.commit()
    return count
