"""The list of the audit trail, newest first."""

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Text, case, cast, func, or_, select

from core.audit.actions import GROUPS, KINDS, LOOKS, OTHER, SEARCHED, TAKEN
from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.lists.types import Column, Found, Join, Listing
from core.org.models import Org
from core.users.models import User
from core.web.labels import ACTIONS

_FIRST_WORD = func.split_part(AuditLine.action, ".", 1)
_GROUP = case((_FIRST_WORD.in_(sorted(GROUPS)), _FIRST_WORD), else_=OTHER)
_KIND = case(
    (AuditLine.action.in_(sorted(LOOKS)), "look"),
    (AuditLine.action.in_(sorted(SEARCHED)), "search"),
    (AuditLine.action.in_(sorted(TAKEN)), "take"),
    else_="change",
)
_ACTOR = case((AuditLine.user_id.is_(None), SYSTEM.name), else_=AuditLine.actor)


def _search(text: str, _among: Callable[[ColumnElement[bool]], bool]) -> Found:
    """By who acted, or by the object (``run:42``). The name stays as it was in the line; the user name leads to the
    user's lines under any name.
    """
    if ":" in text:
        return Found(AuditLine.object == text)
    users = select(User.id).where(User.username == text.lower())
    return Found(or_(AuditLine.actor == text, AuditLine.user_id.in_(users)))


AUDIT = Listing(
    code="audit",
    title=_l("Audit trail"),
    model=AuditLine,
    columns=(
        Column(name="at", title=_l("Time"), kind="moment", sort=True),
        Column(name="actor", title=_l("Author"), kind="choice", choices={SYSTEM.name: _l("System")}, expression=_ACTOR,
               filter=False),
        Column(name="action", title=_l("Action"), kind="choice", choices=ACTIONS, filter=False),
        Column(name="object", title=_l("Object")),
        Column(name="org", title=_l("Organisation"), kind="org", expression=func.coalesce(Org.name, AuditLine.org_path),
               order=AuditLine.org_path),
        Column(name="data", title=_l("Details"), expression=func.nullif(cast(AuditLine.data, Text), "{}"),
               filter=False),
        Column(name="kind", title=_l("What it was"), kind="choice", choices=KINDS, expression=_KIND, hidden=True),
        Column(name="group", title=_l("About"), kind="choice", choices={**GROUPS, OTHER: _l("Something else")},
               expression=_GROUP, hidden=True),
        Column(name="code", title=_l("Code of the action"), expression=AuditLine.action, hidden=True),
        Column(name="reference", title=_l("Reference"), hidden=True),
        Column(name="address", title=_l("Address"), hidden=True),
    ),
    org_path=AuditLine.org_path,
    joins=(Join(Org, Org.path == AuditLine.org_path, outer=True),),
    search=_search,
    search_title=_l("Name or user name of who acted, or the object"),
    order="-at",
)  # fmt: skip
