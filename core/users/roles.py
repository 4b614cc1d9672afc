"""The roles of the house and what each may do. Plugins add permissions of their own to these roles."""

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from core.plugin.types import Permission
from core.users.models import User

#: Code -> title, in the order in which people read them.
ROLES: dict[str, LazyString] = {
    "admin": _l("Provincial administrator"),
    "clerk": _l("Clerk"),
    "reviewer": _l("Reviewer"),
    "finance": _l("Finance"),
    "auditor": _l("Auditor"),
    "leader": _l("Leader"),
}
EVERYONE = tuple(ROLES)

#: Roles that one person must not hold over the same unions and programs, and why (不相容职务分离: GB/T 22239-2019,
#: 访问控制; 会计基础工作规范: who makes a payment neither approves nor books it).
INCOMPATIBLE: dict[frozenset[str], LazyString] = {
    frozenset(pair): reason
    for pairs, reason in (
        ([("clerk", "reviewer")], _l("nobody approves what they have made themselves")),
        ([("clerk", "finance")], _l("nobody pays out what they have made themselves")),
        ([("reviewer", "finance")], _l("nobody pays out what they have approved themselves")),
        ([("admin", "reviewer"), ("admin", "finance")], _l("who gives the roles does not move the money")),
        (
            [("auditor", role) for role in ("admin", "clerk", "reviewer", "finance")],
            _l("nobody audits their own work"),
        ),
    )
    for pair in pairs
}

PERMISSIONS: list[Permission] = [
    Permission(code="org.view", title=_l("See organisations"), roles=EVERYONE),
    Permission(code="people.view", title=_l("See people"), roles=EVERYONE),
    Permission(code="people.edit", title=_l("Edit people"), roles=("clerk",)),
    Permission(code="people.numbers", title=_l("See personal numbers in full"), roles=("clerk", "finance")),
    Permission(code="people.data", title=_l("See everything that is kept about a person"), roles=("admin", "auditor")),
    Permission(code="user.manage", title=_l("Manage users"), roles=("admin",)),
    Permission(code="program.view", title=_l("See programs"), roles=EVERYONE),
    Permission(code="program.manage", title=_l("Manage program years"), roles=("admin",)),
    Permission(code="run.view", title=_l("See disbursement runs"), roles=EVERYONE),
    Permission(code="run.create", title=_l("Create and compute runs"), roles=("clerk",)),
    Permission(code="run.approve", title=_l("Approve runs"), roles=("reviewer",)),
    Permission(code="run.post", title=_l("Post runs and make bank files"), roles=("finance",)),
    Permission(code="notice.post", title=_l("Post public notices"), roles=("clerk",)),
    Permission(code="notice.object", title=_l("Record objections"), roles=("clerk", "reviewer")),
    Permission(code="notice.decide", title=_l("Decide on objections"), roles=("reviewer",)),
    Permission(code="ledger.view", title=_l("See the ledgers"), roles=EVERYONE),
    Permission(code="ledger.allot", title=_l("Allot funds"), roles=("finance",)),
    Permission(code="ledger.post", title=_l("Post to the fund ledger"), roles=("finance",)),
    Permission(code="ledger.close", title=_l("Close and reopen periods"), roles=("finance",)),
    Permission(code="ledger.record", title=_l("Write the work ledger"), roles=("clerk",)),
    Permission(code="task.supervise", title=_l("See and urge what is overdue"), roles=("admin", "leader")),
    Permission(code="job.view", title=_l("See background jobs"), roles=EVERYONE),
    Permission(code="job.retry", title=_l("Retry background jobs"), roles=("admin",)),
    Permission(code="audit.view", title=_l("Read the audit trail"), roles=("admin", "auditor")),
]


def titles_of(user: User) -> list[str]:
    """The titles of the roles that a user holds, each once."""
    held = {grant.role for grant in user.grants}
    return [str(title) for code, title in ROLES.items() if code in held]
