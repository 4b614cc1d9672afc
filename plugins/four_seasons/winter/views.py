"""The pages of the campaigns below ``/<year>/<sponsor>/winter_warmth/``: the hardship list and the allotment."""

from collections.abc import Callable
from datetime import date

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.api import (
    Allotment,
    Form,
    ProgramYear,
    User,
    ZhijiaError,
    current_program_year,
    me,
    needs,
    prove,
    require,
    scope_of,
    state_of,
    today,
)
from plugins.four_seasons.visits.views import add_pages as add_visits
from plugins.four_seasons.winter import allotting, covering
from plugins.four_seasons.winter.forms import BookingForm
from plugins.four_seasons.winter.registers import HARDSHIP
from plugins.four_seasons.words import ALLOT, EDIT, VIEW

blueprint = Blueprint("four_seasons", __name__, template_folder="../templates")
add_visits(blueprint)
Page = Response | tuple[str, int]


@blueprint.get("/hardship")
@needs(VIEW)
def hardship_list() -> Response:
    """The way from the figures of the year to the list."""
    return redirect(url_for("registers.index", name=HARDSHIP.name))


@blueprint.get("/coverage")
@needs(VIEW)
def coverage() -> str:
    """Whether anybody on file is not on the list, and whether anybody on the list is not reached."""
    return _coverage_page(Form())


@blueprint.post("/coverage/take")
@needs(EDIT)
def take() -> Page:
    """Put everybody on file on the list."""
    form = Form()
    try:
        count = covering.take_from_files(me(), current_program_year())
    except ZhijiaError as error:
        form.refuse(error)
        return _coverage_page(form), error.status
    flash(_("%(count)s workers were put on the list.", count=count), "success")
    return redirect(url_for(".coverage"))


def _coverage_page(form: Form) -> str:
    program_year = current_program_year()
    scope = scope_of(me(), VIEW, program_year.program)
    may_take = state_of(program_year) == "open" and bool(scope_of(me(), EDIT, program_year.program).paths)
    return render_template(
        "four_seasons/coverage.html",
        form=form,
        coverage=covering.coverage(program_year, scope),
        may_take=may_take,
    )


@blueprint.get("/allotment")
@needs(ALLOT)
def allotment() -> str:
    """Who gets how much of the sponsor's money, and what is still missing."""
    return _allotment_page(BookingForm(data={"effective_on": today()}))


def _allotment_page(form: BookingForm) -> str:
    program_year = current_program_year()
    require(me(), ALLOT, program_year.org_path, program_year.program)
    return render_template(
        "four_seasons/allotment.html",
        form=form,
        plan=allotting.plan(program_year),
        program_year=program_year,
        is_open=state_of(program_year) == "open",
    )


@blueprint.post("/allotment")
@needs(ALLOT)
def allot() -> Page:
    """Pass the sponsor's money down."""
    return _book(allotting.allot_to_unions, lambda count: _("Allotted to %(count)s unions.", count=count))


@blueprint.post("/allotment/own-funds")
@needs(ALLOT)
def own_funds() -> Page:
    """Book what the unions raise themselves."""
    return _book(allotting.book_own_funds, lambda count: _("Own funds of %(count)s unions are booked.", count=count))


def _book(book: Callable[[User, ProgramYear, date], list[Allotment]], done: Callable[[int], str]) -> Page:
    """Book on the day of the form, today if it names none; a refusal is shown on the page, nothing lost."""
    form = BookingForm(request.form)
    status = 400
    if form.validate():
        try:
            prove(form)
            allotments = book(me(), current_program_year(), form.effective_on.data or today())
            flash(done(len(allotments)), "success")
            return redirect(url_for("four_seasons.allotment"))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _allotment_page(form), status
