"""The menu, as data: what it holds, and who sees it.

An entry is left out while its endpoint does not exist and where the user may not go. ``permission`` none means:
everybody who is logged in.
"""

from dataclasses import dataclass, replace

from flask import current_app, g, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from core.users.access import can_anywhere
from core.users.models import User


@dataclass(frozen=True, kw_only=True)
class NavItem:
    """One entry. ``endpoint`` takes no arguments; a parent without an endpoint shows only its children.

    ``counts_waiting`` puts the number of what waits for the user behind the title.
    """

    title: LazyString
    endpoint: str | None
    icon: str
    permission: str | None = None
    children: tuple["NavItem", ...] = ()
    counts_waiting: bool = False

    @property
    def is_current(self) -> bool:
        """Whether the page shown belongs to this entry, to its blueprint, or to one below it."""
        if self.endpoint is None:
            return any(child.is_current for child in self.children)
        here, mine = request.endpoint or "", self.endpoint
        if mine == "programs.index" and g.get("program_year"):
            return True  # pages of a program year, whoever made them
        return here == mine or (mine.endswith(".index") and here.rpartition(".")[0] == mine.rpartition(".")[0])


ADMIN = NavItem(
    title=_l("Administration"),
    endpoint=None,
    icon="settings",
    children=(
        NavItem(title=_l("Users"), endpoint="users_admin.index", icon="users", permission="user.manage"),
        NavItem(title=_l("Program years"), endpoint="years.index", icon="calendar", permission="program.manage"),
        NavItem(
            title=_l("Rules of approval"), endpoint="approvals.index", icon="checkup-list", permission="program.manage"
        ),
        NavItem(title=_l("Personal data"), endpoint="privacy.due_people", icon="user-shield", permission="people.data"),
        NavItem(title=_l("Retention"), endpoint="privacy.rule_index", icon="hourglass", permission="program.manage"),
        NavItem(title=_l("Plugins"), endpoint="plugins.index", icon="puzzle", permission="program.manage"),
        NavItem(title=_l("Audit trail"), endpoint="audit.index", icon="history", permission="audit.view"),
    ),
)
ITEMS: tuple[NavItem, ...] = (
    NavItem(title=_l("Home"), endpoint="home.index", icon="home"),
    NavItem(title=_l("Tasks"), endpoint="tasks.index", icon="checklist", counts_waiting=True),
    NavItem(title=_l("Programs"), endpoint="programs.index", icon="heart-handshake", permission="program.view"),
    NavItem(title=_l("Ledgers"), endpoint="ledger.index", icon="book-2", permission="ledger.view"),
    NavItem(title=_l("People"), endpoint="people.index", icon="id", permission="people.view"),
    NavItem(title=_l("Union organisations"), endpoint="org.index", icon="sitemap", permission="org.view"),
    NavItem(title=_l("Background jobs"), endpoint="jobs.index", icon="progress", permission="job.view"),
    NavItem(title=_l("My exports"), endpoint="exports.index", icon="file-export"),
    ADMIN,
)


def menu_for(user: User, items: tuple[NavItem, ...] = ITEMS) -> list[NavItem]:
    """The entries that ``user`` may open, in order; a group without any is left out."""
    shown = []
    for item in items:
        if item.children:
            children = tuple(menu_for(user, item.children))
            if children:
                shown.append(replace(item, children=children))
        elif item.endpoint in current_app.view_functions and _may(user, item):
            shown.append(item)
    return shown


def _may(user: User, item: NavItem) -> bool:
    return item.permission is None or can_anywhere(user, item.permission)
