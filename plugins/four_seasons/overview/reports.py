"""The money of all seasons of a year: what each union raised, and what was spent, by source, level and season."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, literal, select, union_all
from sqlalchemy.orm import aliased

from core.api import LEVEL_TITLES, SOURCE_TITLES, Allotment, BudgetLine, Column, Org, ProgramYear, Report, ReportContext
from plugins.four_seasons.words import OVERVIEW, SEASON_TITLES, VIEW


def money(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """What unions raised themselves, less what they took back of it, and what their budget lines spent: fen.

    Raised is what came in from nobody above: money that was passed down counts where it was raised. So the share of the
    province is what stands at its level.
    """
    of_seasons = (
        ProgramYear.program.in_(SEASON_TITLES),
        ProgramYear.year == context.program_year.year,
        ProgramYear.org_id == context.program_year.org_id,
    )
    fen = case((Allotment.takes_back.is_(None), Allotment.amount_fen), else_=-Allotment.amount_fen)
    raised = (
        select(Allotment.org_id, Allotment.org_path, ProgramYear.program, Allotment.source, fen.label("raised_fen"))
        .add_columns(literal(0).label("spent_fen"))
        .join(ProgramYear, ProgramYear.id == Allotment.program_year_id)
        .where(Allotment.from_org_id.is_(None), *of_seasons)
    )
    line, giver = BudgetLine, aliased(Org)
    used = (
        select(line.org_id, line.org_path, ProgramYear.program, line.source, literal(0).label("raised_fen"))
        .add_columns(line.used_fen.label("spent_fen"))
        .join(ProgramYear, ProgramYear.id == line.program_year_id)
        .where(*of_seasons)
    )
    passed_down = (  # a budget line counts it as used
        select(giver.id, giver.path, ProgramYear.program, Allotment.source, literal(0).label("raised_fen"))
        .add_columns((-fen).label("spent_fen"))
        .join(ProgramYear, ProgramYear.id == Allotment.program_year_id)
        .join(giver, giver.id == Allotment.from_org_id)
        .where(*of_seasons)
    )
    rows = union_all(raised, used, passed_down).subquery()
    return (
        select(
            rows.c.org_path,
            rows.c.program.label("season"),
            rows.c.source,
            Org.level,
            rows.c.raised_fen,
            rows.c.spent_fen,
        )
        .join(Org, Org.id == rows.c.org_id)
        .where(context.scope.covers(rows.c.org_path))
    )


MONEY = Report(
    code="four_seasons.money",
    program=OVERVIEW,
    title=_l("Money by source, level and season"),
    permission=VIEW,
    columns=(
        Column(name="season", title=_l("Season"), kind="choice", choices=SEASON_TITLES),
        Column(name="source", title=_l("Source of money"), kind="choice", choices=SOURCE_TITLES),
        Column(name="level", title=_l("Level of the union"), kind="choice", choices=LEVEL_TITLES),
        Column(name="raised_fen", title=_l("Raised"), kind="yuan"),
        Column(name="spent_fen", title=_l("Spent"), kind="yuan"),
    ),
    select=money,
)
