"""What each leader visited, beside the quota of the year (每人慰问 2 家企业、5 户困难职工 in 2014)."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, case, distinct, exists, func, literal, or_, select

from core.api import Column, ProgramYear, Report, ReportContext
from plugins.four_seasons.leaders.models import Leader
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.winter.models import Hardship
from plugins.four_seasons.words import VIEW, WINTER


def quota(program_year: ProgramYear, name: str) -> int:
    """How many enterprises (``leader_enterprises``) or workers (``leader_workers``) each visits; 0 is no quota."""
    return int(program_year.settings.get(name) or 0)


def leaders(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """A fact for each leader: each enterprise and each worker on the hardship list counts once, however often visited.

    What one visited beyond the quota makes up for nothing that another lacks.
    """
    year = context.program_year
    wanted = {name: quota(year, f"leader_{name}") for name in ("enterprises", "workers")}
    listed = exists().where(
        Hardship.program_year_id == Visit.program_year_id, Hardship.person_id == Visit.person_id
    )  # fmt: skip
    made = (
        select(
            Visit.leader_id,
            func.count(distinct(case((Visit.unit != "", Visit.unit)))).label("enterprises"),
            func.count(distinct(case((listed, Visit.person_id)))).label("workers"),
        )
        .where(Visit.program_year_id == year.id, Visit.leader_id.is_not(None), Visit.undone_on.is_(None))
        .group_by(Visit.leader_id)
        .subquery()
    )
    done = {name: func.coalesce(made.c[name], 0) for name in wanted}
    lacks = or_(*(done[name] < wanted[name] for name in wanted))
    return (
        select(Leader.org_path, Leader.name, Leader.position, literal(1).label("leaders"))
        .add_columns(*(literal(wanted[name]).label(f"{name}_wanted") for name in wanted))
        .add_columns(*(done[name].label(name) for name in wanted))
        .add_columns(*(func.greatest(wanted[name] - done[name], 0).label(f"{name}_lacking") for name in wanted))
        .add_columns(case((lacks, 1), else_=0).label("lacking"))
        .outerjoin(made, made.c.leader_id == Leader.id)
        .where(Leader.program_year_id == year.id, context.scope.covers(Leader.org_path))
    )


LEADERS_VISITS = Report(
    code="four_seasons.leaders_visits",
    program=WINTER,
    title=_l("Leaders and their visits"),
    permission=VIEW,
    columns=(
        Column(name="name", title=_l("Name of the leader")),
        Column(name="position", title=_l("Position")),
        Column(name="leaders", title=_l("Leaders who visit"), kind="number"),
        Column(name="enterprises_wanted", title=_l("Enterprises to visit"), kind="number"),
        Column(name="enterprises", title=_l("Enterprises visited"), kind="number"),
        Column(name="enterprises_lacking", title=_l("Enterprises lacking"), kind="number"),
        Column(name="workers_wanted", title=_l("Workers to visit"), kind="number"),
        Column(name="workers", title=_l("Workers visited"), kind="number"),
        Column(name="workers_lacking", title=_l("Workers lacking"), kind="number"),
        Column(name="lacking", title=_l("Leaders who lack visits"), kind="number"),
    ),
    select=leaders,
)
