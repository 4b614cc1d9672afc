"""Kinds of tasks and messages: a code in the database, a title in the reader's language in the code.

A kind is declared at the top of the module that opens tasks of it, so that whoever imports the area or the plugin knows
it. A kind that nobody declares any more reads as its code and leads nowhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import current_app, url_for
from flask_babel import LazyString
from werkzeug.routing import BuildError

from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code

_KINDS: dict[str, "TaskKind"] = {}


@dataclass(frozen=True, kw_only=True)
class TaskKind:
    """A kind of task or message. ``title`` may hold places for values, ``%(title)s``; ``endpoint`` is where it leads.

    The code begins with the name of the area or plugin, ``four_seasons.visit``. Values are JSON values and never
    personal data: they stand in the database as they are, and people of several unions read them.
    """

    code: str
    title: LazyString | str
    endpoint: str

    def __post_init__(self) -> None:
        _KINDS[self.code] = self


def title_of(code: str, data: Mapping[str, Any]) -> str:
    """The title of a kind with its values, in the reader's language.

    A value may be a task of its own, ``{"kind": code, "data": values}``: a message about it. Or it names a register by
    its code, ``{"register": code}``, or a job by its name, ``{"job": name}``.
    """
    kind = _KINDS.get(code)
    if kind is None:
        return code
    named = {name: _said(value) if isinstance(value, dict) else value for name, value in data.items()}
    try:
        return str(kind.title) % named
    except (KeyError, TypeError, ValueError):  # written by an older version of the title
        return str(kind.title)


def _said(value: Mapping[str, Any]) -> str:
    for what, known in (("register", registry_of().registers), ("job", registry_of().jobs)):
        if what in value:
            return str(known[value[what]].title if value[what] in known else value[what])
    return title_of(value["kind"], value["data"])


def url_of(code: str, address: Mapping[str, Any], program_year: ProgramYear | None) -> str | None:
    """Where a task or message leads; none when its page is gone with its plugin.

    Year, sponsor and program come from the program year where the page lies in one.
    """
    kind = _KINDS.get(code)
    if kind is None or kind.endpoint not in current_app.view_functions:
        return None
    parts: dict[str, Any] = dict(address)
    if program_year is not None and current_app.url_map.is_endpoint_expecting(kind.endpoint, "sponsor"):
        parts |= {"year": program_year.year, "sponsor": sponsor_code(program_year), "program": program_year.program}
    try:
        return url_for(kind.endpoint, **parts)
    except BuildError:
        return None
