"""Moving entries of a register below its address: one from its page, or those that were chosen in the list.

The gate has checked year and sponsor, and that the year is open for a POST; the flow says who may do what.
"""

from collections.abc import Sequence
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from sqlalchemy import Select
from werkzeug.wrappers import Response

from core.errors import Refused, ZhijiaError
from core.flows import queries, services
from core.flows.conditions import Move
from core.flows.forms import MoveForm
from core.flows.queries import the_move
from core.flows.services import AT_ONCE, Done
from core.flows.titles import HINDRANCES, sentence_of
from core.lists.queries import rows_of
from core.lists.views import chosen
from core.org.titles import LEVEL_TITLES
from core.plugin.flow import Transition
from core.plugin.gate import current_program_year
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.registers.access import line_of, register_here
from core.registers.listing import listing_of
from core.registers.parts import BatchAction
from core.registers.queries import Line
from core.registers.states import state_title
from core.users.access import can_anywhere, refuse, scope_of, today
from core.users.models import User
from core.web.filters import as_asked
from core.web.forms import options
from core.web.guard import found, me
from core.web.home import Panel

blueprint = Blueprint(
    "flows",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>",
    template_folder="templates",
)
Page = str | Response | tuple[str, int]


@blueprint.post("/<int:row_id>/flow")
def move(name: str, row_id: int) -> Page:
    """Take the step of the button that was pressed."""
    register = register_here(name)
    line = line_of(register, row_id, register.view_permission)
    step = _step(register, request.form.get("step", ""))
    form = MoveForm(request.form)
    try:
        asked = the_move(
            me(), register, current_program_year(), step,
            seen=_instant(), comment=form.comment.data or "", down_to=form.level.data or None,
        )  # fmt: skip
        done = services.move(asked, row_id)
    except ZhijiaError as error:
        form.refuse(error)
        return _move_page(register, line_of(register, line.row.id, register.view_permission), form), error.status
    flash(_done(step, done), "success")
    return redirect(url_for("registers.show", name=name, row_id=row_id))


@blueprint.post("/flow/<code>")
def move_chosen(name: str, code: str) -> Page:
    """Ask back with the number of the chosen entries that can take the step; when that is answered, take it."""
    register, program_year = register_here(name), current_program_year()
    step = _step(register, code)
    if not can_anywhere(me(), step.permission, program_year.program):
        refuse(step.permission)
    form = MoveForm(request.form)
    sure = "sure" in request.form
    asked = the_move(
        me(), register, program_year, step,
        seen=_instant() if sure else queries.database_now(), comment=form.comment.data or "",
    )  # fmt: skip
    rows = _chosen(register, program_year)
    counts = queries.count_by_hindrance(asked, rows)
    if sure:
        try:
            return _taken(asked, rows, counts)
        except ZhijiaError as error:
            form.refuse(error)
            return _ask_page(asked, form, counts), error.status
    return _ask_page(asked, form, counts)


def flow_panel(user: User, register: Register, program_year: ProgramYear, row: object) -> Panel | None:
    """The part of an entry's page: where it stands, what may be done, what was done."""
    return _panel(user, register, program_year, row, MoveForm()) if register.flow else None


def batch_steps(user: User, register: Register, program_year: ProgramYear) -> list[BatchAction]:
    """The steps that the user may take with chosen rows, while the year is open."""
    if register.flow is None or state_of(program_year) != "open":
        return []
    return [
        BatchAction(title=str(step.title), url=url_for("flows.move_chosen", name=register.name, code=step.code))
        for step in register.flow.transitions
        if not step.goes_down and can_anywhere(user, step.permission, program_year.program)
    ]


def _step(register: Register, code: str) -> Transition:
    return found(register.flow.transition(code) if register.flow else None)


def _instant() -> datetime:
    """When the user was shown what they decide about."""
    try:
        seen = datetime.fromisoformat(request.form.get("seen", ""))
    except ValueError:
        seen = None
    if seen is None or seen.tzinfo is None:
        raise Refused(_("This page does not say what it showed; open the entry again."))
    return seen


def _chosen(register: Register, program_year: ProgramYear) -> Select[int]:
    listing = listing_of(register, program_year)
    scope = scope_of(me(), register.view_permission, program_year.program)
    return rows_of(listing, scope, chosen(listing, scope))


def _taken(asked: Move, rows: Select[int], counts: dict[str | None, int]) -> Page:
    if counts.get(None, 0) > AT_ONCE:
        job = services.move_later(asked, rows)
        flash(_("The entries are moved in the background."), "success")
        return redirect(url_for("jobs.show", job_id=job.id))
    flash(_done(asked.step, services.move_chosen(asked, rows)), "success")
    return redirect(as_asked(url_for("registers.index", name=asked.register.name)))


def _done(step: Transition, done: Done) -> str:
    waiting = done.taken - done.moved
    if waiting:
        sentence = _("%(step)s: decided for %(taken)s entries, %(waiting)s of them wait for the others who are asked.")
        return str(sentence % {"step": step.title, "taken": f"{done.taken:,}", "waiting": f"{waiting:,}"})
    return str(_("%(step)s: %(count)s entries", step=step.title, count=f"{done.taken:,}"))


def _move_page(register: Register, line: Line, form: MoveForm) -> str:
    panel = _panel(me(), register, current_program_year(), line.row, form)
    return render_template("flows/move.html", register=register, line=line, part=panel)


def _panel(user: User, register: Register, program_year: ProgramYear, row: object, form: MoveForm) -> Panel:
    may = queries.options_of(user, register, program_year, row)
    form.level.choices = options({level: LEVEL_TITLES[level] for level in may.lower})
    steps = queries.steps_of(register, row.id)  # type: ignore[attr-defined]  # every row of a register has one
    owed: Sequence[str] = [str(step.title) for step in may.steps if step.comment]
    return Panel(
        template="flows/_flow.html",
        context={
            "register": register,
            "flow": register.flow,
            "row": row,
            "title_of": state_title,
            "waits_at": queries.waits_at(register, program_year, row),
            "steps": steps,
            "votes": queries.votes_of(steps),
            "may": may,
            "owed": owed,
            "hindrance": HINDRANCES.get(may.hindrance or ""),
            "levels": LEVEL_TITLES,
            "form": form,
            "today": today(),
        },
    )


def _ask_page(asked: Move, form: MoveForm, counts: dict[str | None, int]) -> str:
    return render_template(
        "flows/ask.html",
        register=asked.register,
        step=asked.step,
        form=form,
        seen=asked.seen,
        able=counts.get(None, 0),
        later=counts.get(None, 0) > AT_ONCE,
        others=[(sentence_of(asked.step, reason), count) for reason, count in counts.items() if reason],
    )
