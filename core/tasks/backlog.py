"""What lies at the unions that somebody supervises, counted: overdue, or waiting where nobody may do it.

An area whose work is not made of tasks registers a provider while the application is made: :func:`provide_backlog`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from flask import Flask, current_app
from flask_babel import get_locale
from flask_babel import gettext as _

from core.programs.models import ProgramYear
from core.programs.queries import title_of as year_title
from core.tasks.queries import undone_below
from core.users.access import permission_of
from core.users.models import User

EXTENSION = "zhijia_backlog"
#: Lines that the page shows, the most urgent first.
SHOWN = 100


@dataclass(frozen=True, kw_only=True)
class Backlog:
    """Work of one kind that lies at one union of a program year: how much of it is overdue, and the earliest deadline.

    ``stuck`` of it wait for somebody with one of the permissions ``missing`` (titles), whom that union does not have.
    """

    title: str
    url: str | None
    union: str
    program_year: ProgramYear | None
    overdue: int = 0
    oldest_due: date | None = None
    stuck: int = 0
    missing: tuple[str, ...] = ()

    @property
    def year_title(self) -> str:
        """The program year, for people."""
        year = self.program_year
        return f"{year.year} {year_title(year, str(get_locale()))}" if year else ""


#: Gives what the user supervises, of one program or (empty) of all, the most urgent first, at most so many lines.
BacklogProvider = Callable[[User, str, int], list[Backlog]]


def provide_backlog(app: Flask, provider: BacklogProvider) -> None:
    """Ask ``provider(user, program, limit)`` for what the page of supervisors shows."""
    app.extensions.setdefault(EXTENSION, []).append(provider)


def backlog_of(user: User, program: str) -> list[Backlog]:
    """What lies at the unions that ``user`` supervises: first what nobody may do, then the longest overdue.

    One line more than :data:`SHOWN` if there are more.
    """
    providers: list[BacklogProvider] = [undone_tasks, *current_app.extensions.get(EXTENSION, [])]
    found = [one for provider in providers for one in provider(user, program, SHOWN + 1)]
    return sorted(found, key=lambda one: (not one.stuck, one.oldest_due or date.max, one.union))[: SHOWN + 1]


def undone_tasks(user: User, program: str, limit: int) -> list[Backlog]:
    """Tasks that nobody at their union may do."""
    return [
        Backlog(
            title=_("Tasks"),
            url=None,
            union=org.name,
            program_year=year,
            overdue=late,
            oldest_due=oldest_due,
            stuck=count,
            missing=permission_titles([permission]) if permission else (_("the account of whom it waits for"),),
        )
        for org, year, permission, count, late, oldest_due in undone_below(user, program=program, limit=limit)
    ]


def permission_titles(codes: Iterable[str]) -> tuple[str, ...]:
    """Permissions as people read them; one whose plugin is gone reads as its code."""
    known = [(code, permission_of(code)) for code in codes]
    return tuple(str(one.title) if one else code for code, one in known)
