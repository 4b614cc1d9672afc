"""Reading flows: what somebody may do with an entry, what happened to it, and what waits for whom."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select

from core.extensions import db
from core.flows.conditions import Move, asked_for, hindrance, is_in_place, levels_above
from core.flows.deciders import backlog, stages_of
from core.flows.models import FlowStep
from core.org.models import Org
from core.org.scope import lineage
from core.plugin.flow import Flow, Transition
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import state_of, visible_to
from core.registers.queries import belonging, belongs, registers_of
from core.tasks.queries import SUPERVISE
from core.users.access import can_anywhere, scope_of, today
from core.users.models import User


@dataclass(frozen=True, slots=True)
class Options:
    """What a user may do with an entry: these steps; ``hindrance`` is why not the others that are theirs otherwise.

    ``lower`` are the levels to which it can be returned. ``lacking`` are the steps that would be theirs if the entry
    met the condition of the step.
    """

    steps: Sequence[Transition]
    hindrance: str | None
    lower: Sequence[str]
    lacking: Sequence[Transition] = ()


@dataclass(frozen=True, slots=True)
class Pending:
    """Entries of a register that lie in a state: their number, how many of them are overdue, the earliest deadline, and
    since when (UTC).
    """

    program_year: ProgramYear
    register: Register
    state: str
    count: int
    overdue: int
    oldest_due: date | None
    since: datetime


@dataclass(frozen=True, slots=True)
class Lying:
    """Entries of a register in a state that lie at one union: how many are overdue, the earliest deadline, and how many
    wait there for one of ``permissions`` that too few hold.
    """

    program_year: ProgramYear
    register: Register
    state: str
    org: Org
    overdue: int
    oldest_due: date | None
    stuck: int
    permissions: Sequence[str]


def the_move(user: User, register: Register, program_year: ProgramYear, step: Transition, **more: Any) -> Move:
    """The step as this user asks for it. For a register with a flow only."""
    if register.flow is None:
        raise LookupError(f"the register {register.code!r} has no flow")
    sponsor = db.session.get_one(Org, program_year.org_id)
    return Move(
        user=user, register=register, flow=register.flow, program_year=program_year, sponsor=sponsor, step=step, **more
    )


def options_of(user: User, register: Register, program_year: ProgramYear, row: Any) -> Options:
    """What the user may do with an entry now, while the year is open."""
    flow = register.flow
    if flow is None or state_of(program_year) != "open":
        return Options((), None, ())
    steps = [step for step in flow.steps_from(row.state) if can_anywhere(user, step.permission, program_year.program)]
    if not steps:
        return Options((), None, ())
    lower = _lower_levels(the_move(user, register, program_year, steps[0]), row)
    asked = {step: the_move(user, register, program_year, step, down_to=lower[0] if lower else None) for step in steps}
    reasons = db.session.execute(
        select(*(hindrance(move) for move in asked.values())).where(register.model.id == row.id)
    ).one()
    why = dict(zip(steps, reasons, strict=True))
    able = [step for step, reason in why.items() if reason is None]
    mine = [reason for reason in why.values() if reason in ("own", "acted", "voted", "asked")]
    lacking = [step for step, reason in why.items() if reason == "provided"]
    return Options(able, None if able or not mine else mine[0], lower, lacking)


def _lower_levels(move: Move, row: Any) -> list[str]:
    """The levels below the one at which an entry waits, the lowest first."""
    levels = move.flow.levels_of(row.state)
    if len(levels) < 2:
        return []
    above = db.session.scalar(select(levels_above(move)).where(move.model.id == row.id))
    here = levels.index(row.at_level) if row.at_level in levels and row.at_level != move.sponsor.level else len(levels)
    return [level for level in levels[:here] if level in (above or ())]


def waits_at(register: Register, program_year: ProgramYear, row: Any) -> Org | None:
    """The union at which an entry waits; none where it waits at none."""
    flow = register.flow
    if flow is None or not flow.levels_of(row.state):
        return None
    sponsor = db.session.get_one(Org, program_year.org_id)
    if row.at_level is None or row.at_level == sponsor.level:
        return sponsor
    above = select(Org).where(Org.path.in_(lineage(row.org_path)[:-1]), Org.level == row.at_level)
    return db.session.scalars(above.order_by(Org.path)).first()


def steps_of(register: Register, row_id: int) -> Sequence[FlowStep]:
    """What was done with an entry, the newest first."""
    mine = select(FlowStep).where(FlowStep.register == register.code, FlowStep.row_id == row_id)
    return db.session.scalars(mine.order_by(FlowStep.id.desc())).all()


def votes_of(steps: Sequence[FlowStep]) -> list[FlowStep]:
    """The votes of the stay, of :func:`steps_of`."""
    votes: list[FlowStep] = []
    for step in steps:
        if step.moved:
            break
        votes.append(step)
    return votes


def database_now() -> datetime:
    """The instant by the clock that moves are written with."""
    now: datetime = db.session.execute(select(func.clock_timestamp())).scalar_one()
    return now


def count_by_hindrance(move: Move, chosen: Select[int]) -> dict[str | None, int]:
    """How many of the chosen entries can take the step (under none), and how many cannot, by what hinders them."""
    reasons = select(hindrance(move).label("reason")).where(move.model.id.in_(chosen)).subquery()
    return dict(db.session.execute(select(reasons.c.reason, func.count()).group_by(reasons.c.reason)).all())


def waiting(user: User) -> list[Pending]:
    """What the user is to do: entries at their union that they may move on, and their own that were returned.

    By register and state, over all program years that are open.
    """
    return [item for register, year in _flows_of(user) for item in _pending(register, year, _for(user, register, year))]


def in_review(program_year: ProgramYear) -> list[tuple[Register, int]]:
    """The registers of the year with entries that wait at some union, and how many; not those that outlive it."""
    found: list[tuple[Register, int]] = []
    for register in registers_of(program_year):
        flow, model = register.flow, register.model
        if flow is None or not hasattr(model, "program_year_id"):
            continue
        states = [state for state in flow.states if flow.levels_of(state)]
        waits = (model.program_year_id == program_year.id) & model.state.in_(states)
        found.append((register, db.session.scalars(select(func.count()).select_from(model).where(waits)).one()))
    return [(register, count) for register, count in found if count]


def lying_below(user: User, program: str, limit: int) -> list[Lying]:
    """What lies at the unions that the user supervises, of the entries that they may see; of one program or of all.

    At most ``limit`` of each register, first what is stuck, then the longest overdue.
    """
    found: list[Lying] = []
    for register, year, sponsor in flows_of(visible_to(user)):
        if program not in ("", year.program) or not can_anywhere(user, SUPERVISE, year.program):
            continue
        seen = scope_of(user, register.view_permission, year.program).covers(register.model.org_path)
        lain = backlog(register, year, sponsor, today(), seen).subquery()
        asked = {stage.state: stage.permissions for stage in stages_of(register, year, sponsor)}
        lies = select(lain.c.state, Org, lain.c.overdue, lain.c.oldest_due, lain.c.stuck).join(
            Org, Org.id == lain.c.org_id
        )
        rows = db.session.execute(
            lies.where(scope_of(user, SUPERVISE, year.program).covers(lain.c.path))
            .order_by(lain.c.stuck == 0, lain.c.oldest_due, lain.c.path)
            .limit(limit)
        )
        found += [
            Lying(year, register, state, org, late, due, stuck, asked.get(state, []))
            for state, org, late, due, stuck in rows
        ]
    return found


def flows_of(years: Iterable[tuple[ProgramYear, Org]]) -> Iterator[tuple[Register, ProgramYear, Org]]:
    """The registers with a flow of those years that are open, with their sponsors, the newest year first.

    One that lasts from year to year stands in the newest.
    """
    lasting: set[tuple[str, int]] = set()
    for program_year, sponsor in years:
        if state_of(program_year) != "open":
            continue
        for register in registers_of(program_year):
            if register.flow is None or (register.code, program_year.org_id) in lasting:
                continue
            if "sponsor_id" in belonging(register, program_year):
                lasting.add((register.code, program_year.org_id))
            yield register, program_year, sponsor


def _flows_of(user: User) -> Iterator[tuple[Register, ProgramYear]]:
    """The registers with a flow of every open program year that the user may see."""
    return ((register, year) for register, year, _sponsor in flows_of(visible_to(user)))


def _for(user: User, register: Register, program_year: ProgramYear) -> ColumnElement[bool]:
    """The entries that wait for the user: at a union for who reviews there, a returned one for who made it.

    What its author has not sent off yet waits for nobody.
    """
    model, flow = register.model, register.flow
    conditions = []
    for state in flow.states if flow else ():
        able = _able(user, register, program_year, flow, state) if flow else []
        if able:
            waits = and_(model.state == state, or_(*able))
            conditions.append(waits & (model.made_by == user.id) if flow and state in flow.drafts else waits)
    return or_(*conditions) if conditions else false()


def _able(
    user: User, register: Register, program_year: ProgramYear, flow: Flow, state: str
) -> list[ColumnElement[bool]]:
    """For each step that is asked for in a state, the entries with which the user may take it."""
    steps = [step for step in asked_for(flow, state) if can_anywhere(user, step.permission, program_year.program)]
    moves = [the_move(user, register, program_year, step) for step in steps]
    return [is_in_place(move) & hindrance(move).is_(None) for move in moves]


def _pending(register: Register, program_year: ProgramYear, condition: ColumnElement[bool]) -> list[Pending]:
    model = register.model
    late = func.count().filter(model.due_on < today())
    found = select(model.state, func.count(), late, func.min(model.due_on), func.min(model.state_since))
    rows = db.session.execute(
        found.where(*belongs(register, program_year), condition).group_by(model.state).order_by(model.state)
    )
    return [Pending(program_year, register, *row) for row in rows]
