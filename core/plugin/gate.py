"""The one gate before every page of a program year, ``/<year>/<sponsor>/<program>/...``, of core and plugins alike.

No such year, one that is off, and one that the user may not see look the same: 404. One that is not open can be read
and not written. Views get their program year from :func:`current_program_year` and need no such arguments.
"""

from typing import Any

from flask import Flask, current_app, g, request
from flask_babel import gettext as _

from core.errors import Forbidden, NotFound
from core.programs.models import ProgramYear
from core.programs.queries import find, may_see, sponsor_code, state_of
from core.web import marks
from core.web.guard import me

READING = {"GET", "OPTIONS"}  # a HEAD comes as the GET that it asks about
PARTS = ("year", "sponsor", "program")


def init_app(app: Flask) -> None:
    """Put the gate up. After the one that asks for a login, which must come first."""
    app.url_value_preprocessor(_take_parts)
    app.url_defaults(_fill_parts)
    app.before_request(_guard)


def current_program_year() -> ProgramYear:
    """The program year that the page belongs to. Only under its address."""
    program_year: ProgramYear = g.program_year
    return program_year


def _take_parts(_endpoint: str | None, values: dict[str, Any] | None) -> None:
    if values and all(part in values for part in PARTS):
        g.program_year_parts = tuple(values.pop(part) for part in PARTS)


def _fill_parts(endpoint: str, values: dict[str, Any]) -> None:
    """Links stay in the program year that the page belongs to, unless they name another."""
    program_year: ProgramYear | None = g.get("program_year")
    if program_year is None or not current_app.url_map.is_endpoint_expecting(endpoint, "sponsor"):
        return
    values.setdefault("year", program_year.year)
    values.setdefault("sponsor", sponsor_code(program_year))
    if current_app.url_map.is_endpoint_expecting(endpoint, "program"):
        values.setdefault("program", program_year.program)


def _guard() -> None:
    parts = g.get("program_year_parts")
    if parts is None:
        return
    program_year = find(*parts)
    if program_year is None or not program_year.enabled or not may_see(me(), program_year):
        raise NotFound(_("There is no such program year, or none that you may see."))
    g.program_year = program_year
    if request.method not in READING and not marks.reads(current_app.view_functions[str(request.endpoint)]):
        refuse_unless_open(program_year)


def refuse_unless_open(program_year: ProgramYear) -> None:
    """Raise :class:`Forbidden` with the reason while nothing in the year can be changed."""
    state = state_of(program_year)
    if state == "closed":
        raise Forbidden(_("This program year is closed; it can be read, but nothing in it can be changed any more."))
    if state == "upcoming":
        day = program_year.opens_on.isoformat()
        raise Forbidden(_("This program year opens on %(day)s; until then nothing in it can be changed.", day=day))
