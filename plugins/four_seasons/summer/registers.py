"""The registers of summer: posts in the heat, and the plan of visits, which keeps to the budget."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func, select

from core.api import SOURCE_TITLES, BudgetLine, Column, ProgramYear, Register, Rule
from plugins.four_seasons.summer.forms import PlanForm, PostForm
from plugins.four_seasons.summer.models import Post, VisitPlan
from plugins.four_seasons.words import EDIT, SUMMER, VIEW


def exceeds_balance(row: Mapping[str, ColumnElement[Any]], year: ProgramYear) -> ColumnElement[bool]:
    """A visit is planned with no more than the union's budget line of the source has free; without a line that is 0."""
    free = (
        select(BudgetLine.allotted_fen - BudgetLine.held_fen - BudgetLine.used_fen)
        .where(
            BudgetLine.program_year_id == year.id,
            BudgetLine.org_id == row["org_id"],
            BudgetLine.source == row["source"],
        )
        .scalar_subquery()
    )
    return row["amount_fen"] > func.coalesce(free, 0)


def is_visited() -> ColumnElement[bool]:
    """A post that visits tell of stays."""
    return Post.visits > 0


POSTS = Register(
    code="four_seasons.posts",
    program=SUMMER,
    title=_l("Posts in the heat"),
    model=Post,
    form=PostForm,
    columns=(
        Column(name="unit", title=_l("Name of the unit")),
        Column(name="post", title=_l("Post in the heat")),
        Column(name="workers", title=_l("Workers there"), kind="number", total=True),
        Column(name="temperature", title=_l("Temperature (°C)"), kind="number"),
        Column(name="measured_on", title=_l("Measured on"), kind="day"),
        Column(name="visits", title=_l("Visits"), kind="number", total=True),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    stays=is_visited,
    stays_because=_l("This post was visited; undo its visits first."),
)
VISIT_PLANS = Register(
    code="four_seasons.visit_plans",
    program=SUMMER,
    title=_l("Plan of visits"),
    model=VisitPlan,
    form=PlanForm,
    columns=(
        Column(name="unit", title=_l("Name of the unit")),
        Column(name="post", title=_l("Post in the heat")),
        Column(name="planned_on", title=_l("Planned for"), kind="day"),
        Column(name="amount_fen", title=_l("Amount"), kind="yuan", total=True),
        Column(name="source", title=_l("Source of money"), kind="choice", choices=SOURCE_TITLES),
    ),
    view_permission=VIEW,
    edit_permission=EDIT,
    rules=(
        Rule(
            broken=exceeds_balance,
            sentence=_l("This is more than the union's budget of this source has left."),
            field="amount_fen",
        ),
    ),
)
