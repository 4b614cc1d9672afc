"""What a step needs and does, as SQL: the same expressions serve one entry and a hundred thousand.

An entry waits at the union of ``at_level`` above it, or at the sponsor where that is the sponsor's own level: also for
an industry union, which does not lie above its units in the region.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Text,
    any_,
    case,
    cast,
    false,
    func,
    literal,
    null,
    or_,
    select,
    true,
)
from sqlalchemy.orm import aliased

from core.flows.models import FlowStep
from core.org.models import Org
from core.org.scope import subtree
from core.plugin.flow import Flow, Transition
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.models import RecordChange
from core.registers.states import deadline
from core.users.access import held_at, scope_of, users_holding
from core.users.models import Grant, User

Expression = ColumnElement[Any]
# The tables of the subqueries, each under a name of its own. Made once, as making one takes longer than using it.
_STEP, _LAST, _VOTE, _PINNED = (aliased(FlowStep, name=name) for name in ("step", "last", "vote", "pinned"))
_CHANGE = aliased(RecordChange, name="change")


@dataclass(frozen=True, kw_only=True)
class Way:
    """A step with entries of a register, whoever takes it: of ``program_year``, whose sponsor is ``sponsor``."""

    register: Register
    flow: Flow
    program_year: ProgramYear
    sponsor: Org
    step: Transition

    @property
    def model(self) -> Any:
        """The table of the register."""
        return self.register.model


@dataclass(frozen=True, kw_only=True)
class Move(Way):
    """A step that ``user`` asks for.

    ``seen`` is when (UTC) the user was shown how the entries stand; what was moved since is left alone. ``down_to`` is
    the level that a step back leads to.
    """

    user: User
    seen: datetime | None = None
    comment: str = ""
    down_to: str | None = None


def asked_for(flow: Flow, state: str) -> list[Transition]:
    """The steps that an entry in this state waits for: only reviews where there are any, in the first state none.

    Steps of the same rule ask the same of each entry: to approve, to return and to refuse count once.
    """
    if state == flow.initial:
        return []
    is_reviewed = bool(flow.levels_of(state))
    asked = [step for step in flow.steps_from(state) if bool(step.levels) == is_reviewed and not step.goes_down]
    return list({(step.permission, step.not_creator, step.votes, step.provided): step for step in asked}.values())


def hindrance(move: Move) -> Expression:
    """Why an entry cannot take the step, as a code of :data:`core.flows.titles.HINDRANCES`; null where it can."""
    model, step = move.model, move.step
    whens: list[tuple[Any, str]] = [] if move.seen is None else [(model.state_since > move.seen, "meanwhile")]
    whens += [(model.state.not_in(step.sources), "state"), (~is_in_place(move), "elsewhere")]
    if step.goes_down:
        whens.append((~_is_below(move), "level"))
    return case(*whens, *hindrances_of(move, literal(move.user.id)), else_=cast(null(), Text))


def hindrances_of(way: Way, user: Any) -> list[tuple[Any, str]]:
    """What keeps one of those who hold the permission from the step, with its code.

    ``user`` is an id, or ``User.id`` of the query around it.
    """
    model, step = way.model, way.step
    whens: list[tuple[Any, str]] = []
    if step.not_creator:
        whens += [(_is_author(way, user), "own"), (_has_acted(way, user, model.state, model.at_level), "acted")]
    if step.votes != 1:
        whens.append((_has_voted(way, user), "voted"))
    if step.votes == "all":
        whens.append((_asked(way) & ~_asked(way, lambda voter: voter == user), "asked"))
    if step.provided is not None:  # last: it is told to those whose step it is otherwise
        whens.append((~func.coalesce(step.provided(), false()), "provided"))
    return whens


def is_in_place(move: Move) -> ColumnElement[bool]:
    """Whether the user holds the permission where the entry waits: by a grant on that union, not on one above it."""
    model, step, program = move.model, move.step, move.program_year.program
    if not step.levels:
        reach: ColumnElement[bool] = scope_of(move.user, step.permission, program).covers(model.org_path)
        return reach
    level = waiting_level(move)
    return or_(
        false(),
        *(
            level == org.level
            if org.id == move.sponsor.id
            else (level == org.level) & subtree(model.org_path, org.path)
            for org in held_at(move.user, step.permission, program)
            if org.id == move.sponsor.id or org.level != move.sponsor.level
        ),
    )


def waiting_level(way: Way) -> Expression:
    """The level at which an entry waits; what waits at none waits at the sponsor."""
    return func.coalesce(way.model.at_level, way.sponsor.level)


def levels_above(way: Way) -> Expression:
    """The levels of the unions above an entry and below the sponsor, as an array."""
    path = way.model.org_path
    place = func.generate_series(1, func.length(path) - 1).column_valued("place")
    levels = select(func.coalesce(func.array_agg(Org.level), cast([], ARRAY(Text)))).where(
        Org.path == func.left(path, place),
        func.starts_with(Org.path, way.sponsor.path),
        Org.path != way.sponsor.path,
    )
    # The cast makes it an array: ANY over a bare subquery would look for a row.
    return cast(levels.correlate(way.model).scalar_subquery(), ARRAY(Text))


def _is_below(move: Move) -> ColumnElement[bool]:
    """Whether the level that a step back leads to is one of the entry's, and lower than where it waits."""
    levels = move.step.levels
    if move.down_to not in levels:
        return false()
    higher = (*levels[levels.index(move.down_to) + 1 :], move.sponsor.level)
    is_there: ColumnElement[bool] = literal(move.down_to) == any_(levels_above(move))
    return waiting_level(move).in_(higher) & is_there


def moves(move: Move) -> ColumnElement[bool]:
    """Whether the entry moves on with this step, or it was one vote of several."""
    step = move.step
    if step.votes == 1:
        return true()
    if step.votes == "all":
        return ~_asked(move, lambda voter: (voter != move.user.id) & ~_has_voted(move, voter))
    votes = select(func.count()).where(_of_stay(move), _VOTE.transition == step.code).correlate(move.model)
    enough: ColumnElement[bool] = votes.scalar_subquery() + 1 >= step.votes
    return enough


def where_to(move: Move, above: Expression) -> tuple[Expression, Expression]:
    """The state and the level that the step leads to; ``above`` are the :func:`levels_above` of the entry."""
    model, step = move.model, move.step
    target, arrival = literal(step.target), _first_level(move, move.flow.levels_of(step.target), above)
    if step.goes_down:
        return target, literal(move.down_to)
    if not step.climbs:
        return target, arrival
    further = _next_level(move, above)
    return case((further.is_(None), target), else_=model.state), func.coalesce(further, arrival)


def due_on(move: Move, to_state: Expression) -> Expression:
    """The deadline in the state that is entered."""
    days: dict[Any, Any] = {}
    for state in {*move.step.sources, move.step.target}:
        day: date | None = deadline(move.flow, state, move.program_year)
        if day:
            days[state] = literal(day, Date)
    return case(days, value=to_state, else_=null()) if days else cast(null(), Date)


def voters(move: Move, to_state: Expression, to_level: Expression) -> Expression:
    """Who is asked in the state that is entered, as an array of users; null where one of them is enough."""
    arrays = []
    for state in dict.fromkeys((*move.step.sources, move.step.target)):
        step = next((one for one in move.flow.steps_from(state) if one.votes == "all"), None)
        if step is not None:
            asked = _holders(move, step, to_level).where(User.id != move.user.id)
            if step.not_creator:
                asked = asked.where(~_is_author(move, User.id), ~_has_acted(move, User.id, literal(state), to_level))
            ids = select(func.array_agg(asked.distinct().subquery().c.user_id))
            arrays.append((to_state == state, ids.correlate(move.model).scalar_subquery()))
    nobody = cast(null(), ARRAY(BigInteger))
    return case(*arrays, else_=nobody) if arrays else nobody


def _first_level(move: Move, levels: tuple[str, ...], above: Expression) -> Expression:
    """The lowest of ``levels`` that the entry has a union of; else the sponsor's, who is always there."""
    if not levels:
        return cast(null(), Text)
    whens = [(literal(level) == any_(above), literal(level)) for level in levels if level != move.sponsor.level]
    last = literal(move.sponsor.level)
    return case(*whens, else_=last) if whens else last


def _next_level(move: Move, above: Expression) -> Expression:
    """Where a climbing entry waits next; null after the last level. What waits at no level waits at the sponsor."""
    sponsor, levels = move.sponsor.level, move.step.levels
    at_level, done = waiting_level(move), cast(null(), Text)
    whens: list[tuple[Any, Any]] = [(at_level == sponsor, done)]
    for place, level in enumerate(levels):
        higher = [(literal(one) == any_(above), literal(one)) for one in levels[place + 1 :] if one != sponsor]
        last = literal(sponsor) if sponsor in levels else done
        whens.append((at_level == level, case(*higher, else_=last) if higher else last))
    return case(*whens, else_=literal(sponsor))


def _of_entry(way: Way, step: Any) -> ColumnElement[bool]:
    mine: ColumnElement[bool] = (step.register == way.register.code) & (step.row_id == way.model.id)
    return mine


def _last(way: Way, *conditions: ColumnElement[bool]) -> Expression:
    """The last step of the entry that moved it, under conditions on ``_LAST``."""
    query = select(func.coalesce(func.max(_LAST.id), 0)).where(_of_entry(way, _LAST), _LAST.moved, *conditions)
    return query.correlate(way.model).scalar_subquery()


def _of_stay(way: Way) -> ColumnElement[bool]:
    """The votes since the entry arrived where it waits."""
    found: ColumnElement[bool] = _of_entry(way, _VOTE) & ~_VOTE.moved & (_VOTE.id > _last(way))
    return found


def _is_author(way: Way, user: Any) -> ColumnElement[bool]:
    """Whether the user made, changed or submitted the entry."""
    submitted = select(_STEP.id).where(_of_entry(way, _STEP), _STEP.user_id == user)
    changed = select(_CHANGE.id).where(
        _CHANGE.register == way.register.code,
        _CHANGE.row_id == way.model.id,
        _CHANGE.user_id == user,
    )
    return or_(
        func.coalesce(way.model.made_by == user, false()),
        submitted.where(_is_with_author(way.flow, _STEP, _STEP.from_state)).correlate(way.model, User).exists(),
        changed.correlate(way.model, User).exists(),
    )


def _is_with_author(flow: Flow, step: Any, state: Any) -> ColumnElement[bool]:
    """Whether a step leads out of, or into, a ``state`` in which its authors have the entry.

    To decide about an entry in such a state, or on its way to one that is no draft, makes nobody its author.
    """
    decisions = [one.code for one in flow.transitions if one.not_creator]
    found: ColumnElement[bool] = state.in_(flow.open_states) & (
        state.in_(flow.drafts) | step.transition.not_in(decisions)
    )
    return found


def _has_acted(way: Way, user: Any, state: Any, level: Any) -> ColumnElement[bool]:
    """Whether the user took a step with the entry in another state or at another level since its author had it."""
    begun = _last(way, _is_with_author(way.flow, _LAST, _LAST.to_state))
    elsewhere = (_STEP.from_state != state) | _STEP.at_level.is_distinct_from(level)
    acted = select(_STEP.id).where(_of_entry(way, _STEP), _STEP.user_id == user, _STEP.id > begun, elsewhere)
    return acted.correlate(way.model, User).exists()


def _has_voted(way: Way, user: Any) -> ColumnElement[bool]:
    voted = select(_VOTE.id).where(_of_stay(way), _VOTE.user_id == user)
    return voted.correlate_except(_VOTE).exists()


def _asked(way: Way, *conditions: Callable[[Any], ColumnElement[bool]]) -> ColumnElement[bool]:
    """Whether there is somebody who was asked when the entry arrived, may still decide, and fits the conditions."""
    pinned = select(_PINNED.voters).where(_of_entry(way, _PINNED), _PINNED.id == _last(way)).correlate(way.model)
    voter = func.unnest(pinned.scalar_subquery()).column_valued("voter")
    asked = select(voter).where(voter.in_(_holders(way, way.step, waiting_level(way))))
    for condition in conditions:
        asked = asked.where(condition(voter))
    return asked.correlate(way.model, User).exists()


def _holders(way: Way, step: Transition, level: Any) -> Any:
    """The users who hold the permission of a step at the union of this level at which the entry waits."""
    sponsor, path = way.sponsor, way.model.org_path
    above = func.starts_with(path, Org.path) & (Org.path != path)
    there = (Org.level == level) & case((level == sponsor.level, Org.id == sponsor.id), else_=above)
    held = users_holding(step.permission, way.program_year.program).join(Org, Org.path == Grant.org_path)
    return held.where(there).correlate(way.model)
