"""For whom entries wait, and where they lie: statements about all users and all entries of a register at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Select,
    Text,
    and_,
    case,
    cast,
    false,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import aliased

from core.flows.conditions import Way, asked_for, hindrances_of, waiting_level
from core.org.models import Org
from core.org.scope import lies_below
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.queries import belongs
from core.users.access import users_holding
from core.users.models import Grant, User


@dataclass(frozen=True, slots=True)
class Stage:
    """A state in which entries of a register wait, and the steps of different rules that they wait for."""

    state: str
    ways: tuple[Way, ...]

    @property
    def has_levels(self) -> bool:
        """Whether they wait at a union above them; else whoever has the permission where they belong may act."""
        return bool(self.ways[0].step.levels)

    @property
    def permissions(self) -> list[str]:
        """What the steps ask for; one of them is enough."""
        return sorted({way.step.permission for way in self.ways})


def stages_of(register: Register, program_year: ProgramYear, sponsor: Org) -> list[Stage]:
    """The states in which entries of the register wait for somebody."""
    flow = register.flow
    if flow is None:
        return []
    place: dict[str, Any] = {"register": register, "flow": flow, "program_year": program_year, "sponsor": sponsor}
    return [
        Stage(state, tuple(Way(**place, step=step) for step in steps))
        for state in flow.states
        if (steps := asked_for(flow, state))
    ]


def deciders(stages: Sequence[Stage], *conditions: ColumnElement[bool]) -> CompoundSelect[int, int]:
    """``user_id, row_id``: everybody for whom an entry under these conditions waits, each pair once.

    The same as :func:`core.flows.queries.waiting` finds for one user.
    """
    return union(*(_deciding(stage, way, conditions) for stage in stages for way in stage.ways))


def _deciding(stage: Stage, way: Way, conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    model, step, program = way.model, way.step, way.program_year.program
    entries = and_(model.state == stage.state, *belongs(way.register, way.program_year), *conditions)
    found: Select[Any] = select(User.id.label("user_id"), model.id.label("row_id")).select_from(User)
    if stage.has_levels:
        held = users_holding(step.permission, program).add_columns(Grant.org_path.label("path")).subquery()
        found = found.join(held, held.c.user_id == User.id).join(Org, Org.path == held.c.path)
        found = found.join(model, entries & _waits_at(way))
    else:
        reach = _reach(step.permission, program)
        found = found.join(reach, reach.c.user_id == User.id).join(
            model, entries & lies_below(model.org_path, reach.c.path)
        )
    if stage.state in way.flow.drafts:
        found = found.where(model.made_by == User.id)
    hindered = [condition for condition, _code in hindrances_of(way, User.id)]
    return found.where(not_(or_(false(), *hindered)))


def _waits_at(way: Way) -> ColumnElement[bool]:
    """Whether an entry waits at the union of the query around it: see :func:`core.flows.conditions.is_in_place`."""
    above = (Org.level != way.sponsor.level) & lies_below(way.model.org_path, Org.path)
    return (waiting_level(way) == Org.level) & ((Org.id == way.sponsor.id) | above)


def _reach(permission: str, program: str) -> Any:
    """``user_id, path``: the subtrees of everybody who holds the permission, as :func:`scope_of` finds one user's."""
    held = users_holding(permission, program).add_columns(Grant.org_path.label("path"))
    own = held.subquery()
    members = select(own.c.user_id, Org.path).join_from(own, Org, lies_below(Org.industry_path, own.c.path))
    return held.union(members).subquery()


def backlog(
    register: Register, program_year: ProgramYear, sponsor: Org, day: date, *conditions: ColumnElement[bool]
) -> Select[Any]:
    """What is overdue on ``day`` (Asia/Shanghai) or waits where nobody may act: a line a state and union.

    The columns are ``state, org_id, path, overdue, oldest_due, stuck``: how many are overdue, the earliest deadline,
    and how many wait for a permission that too few hold at that union, who made the entry not counted where that is the
    rule. An entry lies at the union that it waits at, or else at its own. ``conditions`` are about the model.
    """
    stages = stages_of(register, program_year, sponsor)
    lain = _lain(register, program_year, sponsor, stages, day, conditions)
    levels = case(
        (lain.c.level.is_(None), lain.c.org_path),
        (lain.c.level == sponsor.level, literal(sponsor.path)),
        else_=select(Org.path)
        .where(Org.level == lain.c.level, Org.path.in_(_lineage(lain.c.org_path)))
        .order_by(Org.path)
        .limit(1)
        .correlate(lain)
        .scalar_subquery(),
    )
    placed = select(lain, levels.label("place")).cte("placed").prefix_with("MATERIALIZED")
    stuck = _too_few(placed, stages, program_year.program)
    judged = select(placed, stuck.label("is_stuck")).cte("judged")
    late = func.coalesce(func.sum(judged.c.overdue), 0)
    stays = func.coalesce(func.sum(judged.c.count).filter(judged.c.is_stuck), 0)
    return (
        select(
            judged.c.state,
            Org.id.label("org_id"),
            Org.path.label("path"),
            cast(late, BigInteger).label("overdue"),
            func.min(judged.c.oldest_due).label("oldest_due"),
            cast(stays, BigInteger).label("stuck"),
        )
        .join_from(judged, Org, Org.path == judged.c.place)
        .group_by(judged.c.state, Org.id)
        .having((late > 0) | (stays > 0))
    )


def _lain(
    register: Register,
    program_year: ProgramYear,
    sponsor: Org,
    stages: Sequence[Stage],
    day: date,
    conditions: Sequence[ColumnElement[bool]],
) -> Any:
    """The entries counted by union, state, level and who made them: few lines, however many entries there are."""
    model: Any = register.model
    climbing = [stage.state for stage in stages if stage.has_levels]
    waits = func.coalesce(model.at_level, sponsor.level)
    level = case((model.state.in_(climbing), waits), else_=cast(null(), Text))
    late, asked = model.due_on < day, model.state.in_([stage.state for stage in stages])
    keys = [model.org_path, model.state, level.label("level"), model.made_by]
    return (
        select(
            *keys,
            func.count().label("count"),
            func.count().filter(late).label("overdue"),
            func.min(model.due_on).label("oldest_due"),
        )
        .where(*belongs(register, program_year), late | asked, *conditions)
        .group_by(*keys)
        .cte("lain")
    )


def _too_few(placed: Any, stages: Sequence[Stage], program: str) -> ColumnElement[bool]:
    """Whether fewer hold a permission that a stage asks for than it needs."""
    whens: list[tuple[Any, Any]] = []
    for stage in stages:
        held = users_holding(stage.permissions, program).with_only_columns(func.count(Grant.user_id.distinct()))
        if stage.has_levels:
            held = held.where(Grant.org_path == placed.c.place)
        else:
            above, industry = _lineage(placed.c.place), _industries(placed.c.place)
            held = held.where(Grant.org_path.in_(above) | Grant.org_path.in_(industry))
        if all(way.step.not_creator for way in stage.ways):
            held = held.where(Grant.user_id.is_distinct_from(placed.c.made_by))
        needed = max(way.step.votes if isinstance(way.step.votes, int) else 1 for way in stage.ways)
        few = held.correlate(placed).scalar_subquery() < needed
        whens.append((placed.c.state == stage.state, few))
    return case(*whens, else_=false()) if whens else false()


def _lineage(path: Any) -> Any:
    """The path and those of all unions above it, :func:`core.org.scope.lineage` in SQL."""
    place = func.generate_series(2, func.length(path)).column_valued("place")
    return select(func.left(path, place)).where(func.substr(path, place, 1) == "/").correlate(path.table)


def _industries(path: Any) -> Any:
    """The paths of the industry unions that a union or one above it belongs to, with those above them."""
    member = aliased(Org)
    places = func.generate_series(2, func.length(member.industry_path)).table_valued("place").render_derived()
    parts = select(func.left(member.industry_path, places.c.place)).select_from(member).join(places, true())
    ends = func.substr(member.industry_path, places.c.place, 1) == "/"
    return parts.where(member.path.in_(_lineage(path)), ends).correlate(path.table)
