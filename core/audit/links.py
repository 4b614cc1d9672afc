"""From the object of a line to its page, for readers who may open it."""

from typing import Any, NamedTuple

from flask import url_for

from core.audit.queries import Found
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.access import can
from core.users.models import User


class Page(NamedTuple):
    """A page, what it calls the object in its address, and the permission that it asks for."""

    endpoint: str
    argument: str
    permission: str
    of_year: bool = False


#: The first part of an object (``run:42``) -> its page.
PAGES: dict[str, Page] = {
    "person": Page("people.show", "person_id", "people.view"),
    "user": Page("users_admin.show", "user_id", "user.manage"),
    "org": Page("org.show", "code", "org.view"),
    "job": Page("jobs.show", "job_id", "job.view"),
    "program_year": Page("years.show", "program_year_id", "program.manage"),
    "run": Page("runs.show", "run_id", "run.view", of_year=True),
}


def link_of(user: User, found: Found) -> str | None:
    """The address of the page of what the line is about; none where there is none, or none for this reader."""
    kind, _colon, key = found.line.object.partition(":")
    page, program_year = PAGES.get(kind), found.program_year
    if page is None:
        return _entry(user, found, kind, key)
    if page.of_year and program_year is None:
        return None
    program = program_year.program if program_year is not None and page.of_year else None
    if not key or not can(user, page.permission, found.line.org_path, program):
        return None
    values: dict[str, Any] = {page.argument: key} | (
        _of_year(program_year) if page.of_year and program_year is not None else {}
    )
    return url_for(page.endpoint, **values)


def _entry(user: User, found: Found, code: str, key: str) -> str | None:
    """The page of an entry of a register."""
    register, program_year = registry_of().registers.get(code), found.program_year
    if register is None or program_year is None or not key.isdecimal():
        return None
    if not can(user, register.view_permission, found.line.org_path, program_year.program):
        return None
    return url_for("registers.show", name=register.name, row_id=int(key), **_of_year(program_year))


def _of_year(program_year: ProgramYear) -> dict[str, Any]:
    return {
        "year": program_year.year,
        "sponsor": sponsor_code(program_year),
        "program": program_year.program,
    }
