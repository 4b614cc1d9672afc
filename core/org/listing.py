"""The list of the unions, in the order of the tree."""

from collections.abc import Callable

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import aliased

from core.lists.types import Column, Found, Listing
from core.org.models import Org
from core.org.queries import called
from core.org.titles import KIND_TITLES, LEVEL_TITLES

_BELOW = aliased(Org)


def _search(text: str, _among: Callable[[ColumnElement[bool]], bool]) -> Found:
    return Found(called(text))


ORGS = Listing(
    code="orgs",
    title=_l("Union organisations"),
    model=Org,
    columns=(
        Column(name="org", title=_l("Union organisation"), kind="org", sort=True, expression=Org.name, order=Org.path),
        Column(name="level", title=_l("Level"), kind="choice", choices=LEVEL_TITLES),
        Column(name="kind", title=_l("Kind"), kind="choice", choices=KIND_TITLES),
        Column(name="code", title=_l("Code"), sort=True),
        Column(
            name="below",
            title=_l("Directly below"),
            kind="number",
            filter=False,
            expression=select(func.count()).where(_BELOW.parent_id == Org.id).correlate(Org).scalar_subquery(),
        ),
        Column(
            name="active",
            title=_l("State"),
            kind="choice",
            choices={"active": _l("Active"), "inactive": _l("Given up")},
            colours={"inactive": "secondary"},
            expression=case((Org.active, "active"), else_="inactive"),
        ),
    ),
    org_path=Org.path,
    search=_search,
    search_title=_l("Name, pinyin, initials or code"),
)
