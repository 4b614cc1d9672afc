"""What other areas add to the pages of registers: imports, files, flows. Registers know none of them.

An area registers its providers while the application is made.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app

from core.lists.types import Action as Action
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.users.models import User
from core.web.home import Panel

EXTENSION = "zhijia_register_parts"


class BatchAction(Action):
    """Something to be done with the chosen rows of a list.

    ``url`` takes a POST with the numbers of the rows as ``row``, or with ``all=1`` and the list's filter in the
    address; it asks back with their count before anything is done.
    """


PartProvider = Callable[[User, Register, ProgramYear, Any], Panel | None]
ActionProvider = Callable[[User, Register, ProgramYear], list[Action]]
BatchProvider = Callable[[User, Register, ProgramYear], list[BatchAction]]


@dataclass
class _Parts:
    panels: list[PartProvider] = field(default_factory=list)
    actions: list[ActionProvider] = field(default_factory=list)
    batches: list[BatchProvider] = field(default_factory=list)


def _parts(app: Flask) -> _Parts:
    parts: _Parts = app.extensions.setdefault(EXTENSION, _Parts())
    return parts


def provide_record_part(app: Flask, provider: PartProvider) -> None:
    """Ask ``provider(user, register, program_year, row)`` for a part of the page of an entry; none leaves it out."""
    _parts(app).panels.append(provider)


def provide_list_action(app: Flask, provider: ActionProvider) -> None:
    """Ask ``provider(user, register, program_year)`` for links above the list."""
    _parts(app).actions.append(provider)


def provide_batch_action(app: Flask, provider: BatchProvider) -> None:
    """Ask ``provider(user, register, program_year)`` for what can be done with chosen rows."""
    _parts(app).batches.append(provider)


def record_parts(user: User, register: Register, program_year: ProgramYear, row: Any) -> list[Panel]:
    """The parts of the page of an entry, in the order in which they were registered."""
    found = (provider(user, register, program_year, row) for provider in _parts(current_app).panels)
    return [panel for panel in found if panel]


def list_actions(user: User, register: Register, program_year: ProgramYear) -> list[Action]:
    """The links above a list."""
    return [one for provider in _parts(current_app).actions for one in provider(user, register, program_year)]


def batch_actions(user: User, register: Register, program_year: ProgramYear) -> list[BatchAction]:
    """What the user may do with chosen rows."""
    return [one for provider in _parts(current_app).batches for one in provider(user, register, program_year)]
