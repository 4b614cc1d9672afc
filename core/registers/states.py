"""What the flow of a register means for its entries: how they begin, when they may be changed, by when they move on."""

from datetime import date
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, true

from core.audit.services import Actor
from core.errors import Refused
from core.notices.calendar import add_working_days
from core.plugin.flow import Flow
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.users.access import today


def first_values(register: Register, program_year: ProgramYear, actor: Actor) -> dict[str, Any]:
    """What a new entry holds besides its form: who made it, and by when it is to be moved on.

    Its state is a default of the table, so that no way into the register can forget it.
    """
    flow = register.flow
    if flow is None:
        return {}
    return {"made_by": actor.id, "due_on": deadline(flow, flow.initial, program_year)}


def deadline(flow: Flow, state: str, program_year: ProgramYear) -> date | None:
    """The last day for a step out of a state that is entered today: the earliest that the flow or the year sets."""
    days = [_days(step.working_days, program_year) for step in flow.steps_from(state)]
    earliest = min((count for count in days if count), default=None)
    return add_working_days(today(), earliest) if earliest else None


def _days(asked: int | str | None, program_year: ProgramYear) -> int | None:
    return int(program_year.settings.get(asked) or 0) if isinstance(asked, str) else asked


def state_title(flow: Flow, state: str) -> str:
    """A state as people read it; one that the flow no longer has reads as its code."""
    return str(flow.states.get(state, state))


def changeable(register: Register) -> ColumnElement[bool]:
    """The rows that may be changed, as a condition: those in such a state of the flow, or all of them without one."""
    condition: ColumnElement[bool] = register.model.state.in_(register.flow.open_states) if register.flow else true()
    return condition


def is_changeable(register: Register, row: Any) -> bool:
    """Whether this entry may be changed or removed as far as its flow is concerned."""
    return register.flow is None or is_open_state(register, row.state)


def is_open_state(register: Register, state: str) -> bool:
    """Whether entries in this state may be changed; without a flow all may."""
    return register.flow is None or state in register.flow.open_states


def refuse_unless_changeable(register: Register, row: Any) -> None:
    """Raise :class:`Refused` for an entry that is on its way."""
    flow = register.flow
    if flow is not None and not is_changeable(register, row):
        open_states = "”, “".join(state_title(flow, state) for state in flow.open_states)
        raise Refused(
            _(
                "The entry is in the state “%(state)s”; it can be changed only in “%(open)s”.",
                state=state_title(flow, row.state),
                open=open_states,
            )
        )
