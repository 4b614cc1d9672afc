"""The pages of tasks: what waits for me, and what is overdue in the unions below."""

from collections.abc import Iterable
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.programs.models import ProgramYear
from core.programs.queries import title_of as year_title
from core.tasks import queries, services
from core.tasks.backlog import SHOWN, backlog_of
from core.tasks.queries import PAGE, SUPERVISE, TaskRow
from core.tasks.shown import items_of, waiting_tasks
from core.users.access import can_anywhere
from core.web.guard import found, me, needs
from core.web.home import forget_count, waiting
from core.web.paging import place_in, token_of

blueprint = Blueprint("tasks", __name__, url_prefix="/tasks", template_folder="templates")


@blueprint.get("/")
def index() -> str:
    """What waits for me, the most urgent first."""
    user, program, after = me(), request.args.get("program", ""), _place()
    forget_count()  # so that the menu says the same as the page
    rows = queries.page_of_mine(user, program=program, after=after)
    # What is derived from other records and has no task of its own stands above the first page.
    others = waiting(user, but=waiting_tasks) if after is None and not program else []
    return render_template(
        "tasks/index.html",
        others=others,
        items=items_of(rows[:PAGE]),
        programs=_titles(queries.programs_of_mine(user)),
        program=program,
        is_first=after is None,
        next_after=_next(rows),
        tabs=_tabs("tasks.index"),
    )


@blueprint.get("/overdue")
@needs(SUPERVISE)
def overdue() -> str:
    """What is overdue in the unions that I supervise, the longest overdue first."""
    program, after = request.args.get("program", ""), _place()
    rows = queries.page_of_overdue(me(), program=program, after=after)
    # What is counted stands above the first page of what is named one by one.
    lying = backlog_of(me(), program) if after is None else []
    return render_template(
        "tasks/overdue.html",
        lying=lying[:SHOWN],
        is_cut=len(lying) > SHOWN,
        rows=list(zip(rows[:PAGE], items_of(rows[:PAGE]), strict=True)),
        programs=_titles([*queries.programs_of_overdue(me()), *(one.program_year for one in lying)]),
        program=program,
        is_first=after is None,
        next_after=_next(rows),
        tabs=_tabs("tasks.overdue"),
    )


@blueprint.post("/<int:task_id>/urge")
@needs(SUPERVISE)
def urge(task_id: int) -> Response:
    """Tell those who should have done it."""
    row = found(queries.find_overdue(me(), task_id))
    try:
        services.urge(me(), row)
    except ZhijiaError as error:
        flash(str(error), "danger")
    else:
        flash(_("Those for whom it waits are told."), "success")
    return redirect(url_for(".overdue"))


def _titles(years: Iterable[ProgramYear | None]) -> list[tuple[str, str]]:
    """Each program once, with its title."""
    return sorted({year.program: year_title(year, str(get_locale())) for year in years if year}.items())


def _place() -> tuple[date, int] | None:
    """The place that the address names. Raises :class:`ZhijiaError` for what names none."""
    token = request.args.get("after", "")
    place = place_in(token)
    try:
        return (date.fromisoformat(place[0]), place[1]) if place else None
    except ValueError as error:
        raise ZhijiaError(_("This page of the list does not exist. Begin at the first page.")) from error


def _next(rows: list[TaskRow]) -> str | None:
    if len(rows) <= PAGE:
        return None
    day, number = queries.place_of(rows[PAGE - 1])
    return token_of(day.isoformat(), number)


def _tabs(here: str) -> list[tuple[str, str, bool]]:
    """The two lists, for who may see both."""
    if not can_anywhere(me(), SUPERVISE):
        return []
    pages = {"tasks.index": _("Waiting for me"), "tasks.overdue": _("Overdue at the unions I supervise")}
    return [(title, url_for(endpoint), endpoint == here) for endpoint, title in pages.items()]
