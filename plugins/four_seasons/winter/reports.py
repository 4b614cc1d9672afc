"""Reports of the campaigns: the hardship list by union and category, with what was paid."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, func, literal, select

from core.api import Column, Report, ReportContext
from plugins.four_seasons.payments import posted_by_person
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import CATEGORY_TITLES, VIEW, WINTER


def on_file(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """Who is on the list, and what posted runs paid them: a row for each worker."""
    year = context.program_year
    paid = posted_by_person(year)
    return (
        select(
            Hardship.org_path,
            Hardship.category,
            literal(1).label("people"),
            case((paid.c.person_id.is_not(None), 1), else_=0).label("paid"),
            func.coalesce(paid.c.fen, 0).label("paid_fen"),
        )
        .outerjoin(paid, paid.c.person_id == Hardship.person_id)
        .where(Hardship.program_year_id == year.id, context.scope.covers(Hardship.org_path))
    )


ON_FILE = Report(
    code="four_seasons.on_file",
    program=WINTER,
    title=_l("Workers in hardship on file"),
    permission=VIEW,
    columns=(
        Column(name="category", title=_l("Category of hardship"), kind="choice", choices=CATEGORY_TITLES),
        Column(name="people", title=_l("On file (people)"), kind="number"),
        Column(name="paid", title=_l("Paid this year (people)"), kind="number"),
        Column(name="paid_fen", title=_l("Paid this year"), kind="yuan"),
    ),
    select=on_file,
)
