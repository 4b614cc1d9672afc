"""The rules that the flow of a register must keep, each a sentence."""

import re
from collections import Counter
from collections.abc import Set

from sqlalchemy import inspect
from sqlalchemy.orm import Mapper
from sqlalchemy.sql.schema import DefaultClause

from core.errors import ConfigError
from core.org.models import LEVELS
from core.plugin.flow import Flow, Transition
from core.plugin.types import Plugin, Register

COLUMNS = ("state", "state_since", "due_on", "at_level", "made_by")
_CODE = re.compile(r"[a-z][a-z0-9_]*")


def check_flow(register: Register, plugin: Plugin, permissions: Set[str]) -> None:
    """Check the flow of a register, if it has one. Raises :class:`ConfigError` with the first thing that is wrong."""
    flow = register.flow
    if flow is None:
        return
    which = f"The flow of {register.code!r}"
    if not isinstance(flow, Flow):
        raise ConfigError(f"{which} must be a Flow.")
    _check_states(flow, which)
    form = next((one.settings_form for one in plugin.programs if one.code == register.program), None)
    for step in flow.transitions:
        name = f"{which}: the step {step.code!r}"
        _check_step(step, name)
        if step.permission not in permissions:
            raise ConfigError(f"{name} asks for {step.permission!r}, which nobody defines.")
        if isinstance(step.working_days, str) and not hasattr(form, step.working_days):
            raise ConfigError(f"{name} names the setting {step.working_days!r}, which the program does not have.")
    _check_model(register, flow)


def _check_states(flow: Flow, which: str) -> None:
    for code, count in Counter(step.code for step in flow.transitions).items():
        if count > 1:
            raise ConfigError(f"{which} has the step {code!r} twice.")
    named = [flow.initial, *flow.editable]
    named += [state for step in flow.transitions for state in (*step.sources, step.target)]
    for state in named:
        if state not in flow.states:
            raise ConfigError(f"{which} names the state {state!r}, which it does not have.")
    reached = {flow.initial}
    while more := {step.target for step in flow.transitions if reached & {*step.sources}} - reached:
        reached |= more
    for state in flow.states:
        if state not in reached:
            raise ConfigError(f"{which} has the state {state!r}, which no step leads to.")
        if len({step.levels for step in flow.steps_from(state) if step.levels}) > 1:
            raise ConfigError(f"{which} has steps out of {state!r} that name different levels.")
    if flow.levels_of(flow.initial):
        raise ConfigError(f"{which} begins in {flow.initial!r}, which waits at no level yet; submit it from there.")


def _check_step(step: Transition, name: str) -> None:
    if not _CODE.fullmatch(step.code):
        raise ConfigError(f"{name} cannot be called so; small letters, digits and _ can.")
    if not step.sources:
        raise ConfigError(f"{name} leads out of no state.")
    for level in step.levels:
        if level not in LEVELS:
            raise ConfigError(f"{name} names the level {level!r}; there are {', '.join(LEVELS)}.")
    if list(step.levels) != sorted(set(step.levels), key=LEVELS.index, reverse=True):
        raise ConfigError(f"{name} must name its levels once each, from the lowest up.")
    if (step.climbs or step.goes_down) and not step.levels:
        raise ConfigError(f"{name} goes from level to level, and names none.")
    if step.goes_down and (step.climbs or step.sources != (step.target,)):
        raise ConfigError(f"{name} goes down, so it must stay in its state.")
    if step.votes == "all" and not step.levels:
        raise ConfigError(f"{name} asks everybody of a union, and names no level.")
    if step.votes != "all" and step.votes < 1:
        raise ConfigError(f"{name} needs at least one vote.")
    if isinstance(step.working_days, int) and step.working_days < 1:
        raise ConfigError(f"{name} allows no working day.")
    if (step.provided is None) == bool(step.provided_because):
        raise ConfigError(f"{name} needs both 'provided' and 'provided_because', or neither.")


def _check_model(register: Register, flow: Flow) -> None:
    mapper: Mapper[object] = inspect(register.model)
    which = f"The model of {register.code!r}"
    for needed in COLUMNS:
        if needed not in mapper.columns:
            raise ConfigError(f"{which} lacks the column {needed!r} of a flow; let it inherit FlowColumns.")
    default = mapper.columns["state"].server_default
    begins = default.arg if isinstance(default, DefaultClause) else None
    if begins != flow.initial:
        raise ConfigError(f"{which} puts new entries into {begins!r}, but its flow begins in {flow.initial!r}.")
