"""Reports of the campaigns: the hardship list by union of the next level and category, with what was paid."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, Subquery, and_, case, func, select

from core.api import Column, Org, Payment, ProgramYear, Report, ReportContext, RunChunk
from plugins.four_seasons.models import CATEGORIES, Hardship
from plugins.four_seasons.schemes import PROGRAM
from plugins.four_seasons.titles import CATEGORY_TITLES


def on_file(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """Who is on the list and what posted runs paid them: a row for each union below the reader's top, and category.

    Whoever is on the list at the top itself counts under it.
    """
    year = context.program_year
    paid = _paid(year)
    # ``/61/6101/610102/`` -> ``/61/6101/`` where the top is ``/61/``.
    unit = func.substring(Hardship.org_path, f"^(?:/[^/]+){{1,{_depth(context) + 1}}}/").label("path")
    listed = (
        select(
            unit,
            Hardship.category,
            func.count().label("people"),
            func.count(paid.c.person_id).label("paid"),
            func.coalesce(func.sum(paid.c.fen), 0).label("paid_fen"),
        )
        .outerjoin(paid, paid.c.person_id == Hardship.person_id)
        .where(Hardship.program_year_id == year.id, context.scope.covers(Hardship.org_path))
        .group_by(unit.name, Hardship.category)
        .subquery()
    )
    rank = case({code: place for place, code in enumerate(CATEGORIES)}, value=listed.c.category)
    return (
        select(Org.short_name.label("unit"), *(listed.c[name] for name in ("category", "people", "paid", "paid_fen")))
        .join(Org, Org.path == listed.c.path)
        .order_by(Org.path, rank)
    )


def _depth(context: ReportContext) -> int:
    """How many unions the path of the reader's top has: the one union that they answer for, else the sponsor."""
    sponsor, paths = context.program_year.org_path, context.scope.paths
    top = paths[0] if len(paths) == 1 and paths[0].startswith(sponsor) else sponsor
    return top.count("/") - 1


def _paid(program_year: ProgramYear) -> Subquery:
    """Fen by person, from the runs of the year that are posted."""
    return (
        select(Payment.person_id, func.sum(Payment.amount_fen).label("fen"))
        .join(RunChunk, and_(RunChunk.run_id == Payment.run_id, RunChunk.org_id == Payment.chunk_org_id))
        .where(Payment.program_year_id == program_year.id, ~Payment.returned, RunChunk.entry_id.is_not(None))
        .group_by(Payment.person_id)
        .subquery()
    )


ON_FILE = Report(
    code="four_seasons.on_file",
    program=PROGRAM,
    title=_l("Workers in hardship on file"),
    permission="four_seasons.view",
    columns=(
        Column(name="unit", title=_l("Union")),
        Column(name="category", title=_l("Category of hardship"), kind="choice", choices=CATEGORY_TITLES),
        Column(name="people", title=_l("On file (people)"), kind="number"),
        Column(name="paid", title=_l("Paid this year (people)"), kind="number"),
        Column(name="paid_fen", title=_l("Paid this year"), kind="yuan"),
    ),
    select=on_file,
)
