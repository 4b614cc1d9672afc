"""One fictional user for each role, so that a demonstration can be walked through."""

from dataclasses import dataclass

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.org.queries import by_code
from core.users.models import User
from core.users.passwords import random_password
from core.users.queries import by_username
from core.users.services import GrantRequest, create_user, give_grant, set_password

PROVINCE, CITY = "61", "6101"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A demonstration user. ``password`` is none when the account was there and keeps the one it has."""

    username: str
    name: str
    role: str
    org_code: str
    org: str
    password: str | None


PEOPLE = (
    ("admin", "顾长宁", "admin", PROVINCE),
    ("clerk", "祝晓岚", "clerk", PROVINCE),
    ("reviewer", "闻思远", "reviewer", PROVINCE),
    ("finance", "温若谷", "finance", PROVINCE),
    ("auditor", "秦守正", "auditor", PROVINCE),
    ("leader", "柏青川", "leader", PROVINCE),
    ("xian.clerk", "苗雨桐", "clerk", CITY),
    ("xian.reviewer", "阮明哲", "reviewer", CITY),
)


def make_demo_users(password: str | None = None) -> list[DemoUser]:
    """Make the users that are missing, with ``password`` or one random password; may be called again.

    A given password is also set for those that are there. Raises :class:`NotFound` while the orgs are not loaded.
    """
    common = password or random_password()
    return [_make(row, common, renew=password is not None) for row in PEOPLE]


def _make(row: tuple[str, str, str, str], password: str, *, renew: bool) -> DemoUser:
    username, name, role, code = row
    org = by_code(code)
    if org is None:
        raise NotFound(f"There is no organisation with the code {code}; load the divisions first (zhijia orgs load).")
    wanted = GrantRequest(role=role, org=org)
    user = by_username(username)
    if user is None:
        create_user(SYSTEM, username, name, password, org, [wanted], first=False)
        return DemoUser(username, name, role, code, org.name, password)
    if not _holds(user, wanted):
        give_grant(SYSTEM, user, wanted)
    if renew:
        set_password(SYSTEM, user, password, first=False)
    return DemoUser(username, user.name, role, code, org.name, password if renew else None)


def _holds(user: User, wanted: GrantRequest) -> bool:
    return any((grant.role, grant.org_id, grant.program) == (wanted.role, wanted.org.id, None) for grant in user.grants)
