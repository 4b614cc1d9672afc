"""The list of the users, by user name."""

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, case, func, or_, select

from core.lists.types import Column, Found, Join, Listing
from core.org.models import Org
from core.users.models import Grant, User
from core.users.roles import ROLES
from core.web.labels import STATES

_ROLES_HELD = select(func.array_agg(Grant.role.distinct())).where(Grant.user_id == User.id).correlate(User)


def _search(text: str, _among: Callable[[ColumnElement[bool]], bool]) -> Found:
    return Found(or_(User.username.contains(text.lower(), autoescape=True), User.name.contains(text, autoescape=True)))


USERS = Listing(
    code="users",
    title=_l("Users"),
    model=User,
    columns=(
        Column(name="username", title=_l("User name"), sort=True, filter=False),
        Column(name="name", title=_l("Name"), filter=False),
        Column(name="org", title=_l("Organisation"), kind="org", sort=True, expression=Org.name, order=User.org_path),
        Column(name="roles", title=_l("Roles"), kind="choice", choices=ROLES, expression=_ROLES_HELD.scalar_subquery()),
        Column(
            name="active",
            title=_l("State"),
            kind="choice",
            choices={state: label.title for state, label in STATES["user"].items()},
            colours={state: label.colour for state, label in STATES["user"].items()},
            expression=case((User.active, "active"), else_="inactive"),
        ),
        Column(name="last_login_at", title=_l("Last login"), kind="moment", sort=True),
        Column(name="created_at", title=_l("Account made on"), kind="moment", hidden=True),
    ),
    org_path=User.org_path,
    joins=(Join(Org, Org.id == User.org_id),),
    search=_search,
    search_title=_l("Name or user name"),
    order="username",
)
