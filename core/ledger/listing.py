"""The work ledger as a list, in the columns of one of its forms, newest first."""

from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from sqlalchemy import case

from core.ledger.models import BOOKINGS, RUNS, Activity, ActivityTemplate
from core.ledger.queries import years_in
from core.ledger.scope import BookScope
from core.lists.types import Column, Join, Listing
from core.org.models import Org
from core.programs.queries import title_of

#: Before the code of a form: what its lines are called among the lists.
ACTIVITIES = "activities:"
WRITERS = {
    "run": _l("by a run"),
    "money": _l("by a booking of money"),
    "program": _l("by a program"),
    "hand": _l("by hand"),
}


def activities_of(template: ActivityTemplate, scope: BookScope) -> Listing:
    """The lines that may be read: a grant for one program opens only that program's, so the scope is in ``where``."""
    locale = str(get_locale())
    years = {
        str(year.id): f"{year.year} · {title_of(year, locale)} · {sponsor}"
        for year, sponsor in years_in(Activity, scope)
    }
    typed = [
        Column(
            name=column["key"],
            title=column.get(locale) or column["zh"],
            expression=Activity.data[column["key"]].astext,
        )
        for column in template.columns
    ]
    return Listing(
        code=f"{ACTIVITIES}{template.code}",
        title=_l("Work ledger"),
        model=Activity,
        columns=(
            Column(name="held_on", title=_l("Day"), kind="day", sort=True),
            Column(name="org", title=_l("Union"), kind="org", sort=True, expression=Org.name, order=Activity.org_path),
            Column(name="program_year_id", title=_l("Program year"), kind="choice", choices=years, hidden=True),
            *typed,
            Column(
                name="source",
                title=_l("Written"),
                kind="choice",
                choices=WRITERS,
                expression=case(
                    (Activity.scope == "hand", "hand"),
                    (Activity.scope.in_(RUNS), "run"),
                    (Activity.scope.in_(BOOKINGS), "money"),
                    else_="program",
                ),
                hidden=True,
            ),
            Column(name="id", title=_l("Line"), kind="number", filter=False, hidden=True, sort=True),
        ),
        org_path=None,
        where=(Activity.template == template.code, scope.covers(Activity)),
        joins=(Join(Org, Org.id == Activity.org_id),),
        also={"entry_id": Activity.entry_id},
        order="-id",
    )
