"""The pages of the campaigns below ``/<year>/<sponsor>/four_seasons/``: the hardship list and the allotment."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.api import (
    Scope,
    ZhijiaError,
    by_code,
    current_program_year,
    me,
    needs,
    require,
    scope_of,
    state_of,
    today,
)
from plugins.four_seasons import allotting, queries, services
from plugins.four_seasons.cards import ALLOT, EDIT, VIEW
from plugins.four_seasons.forms import HardshipForm
from plugins.four_seasons.queries import PAGE, Filters
from plugins.four_seasons.titles import CATEGORY_TITLES

blueprint = Blueprint("four_seasons", __name__, template_folder="templates")


def editable() -> Scope:
    """Where the user may change the list: nowhere while the year is not open."""
    program_year = current_program_year()
    return scope_of(me(), EDIT, program_year.program) if state_of(program_year) == "open" else Scope()


@blueprint.get("/hardship")
@needs(VIEW)
def hardship_list() -> str:
    """The list, filtered, a page at a time."""
    program_year = current_program_year()
    scope = scope_of(me(), VIEW, program_year.program)
    filters = _filters(scope)
    rows = queries.hardship_page(program_year, scope, filters, _after())
    counts = queries.count_by_category(program_year, scope, filters)
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    return render_template(
        "four_seasons/hardship_list.html",
        rows=rows[:PAGE],
        counts=counts,
        total=sum(counts.values()),
        filters=filters,
        asked={name: value for name, value in request.args.items() if name != "after"},
        is_first="after" not in request.args,
        next_after=f"{last.org_path}:{last.id}" if last else None,
        categories=CATEGORY_TITLES,
        editable=editable(),
    )


@blueprint.route("/hardship/add", methods=["GET", "POST"])
@needs(EDIT)
def hardship_add() -> str | Response | tuple[str, int]:
    """The form for one worker."""
    form = HardshipForm(request.form)
    if request.method == "GET":
        return render_template("four_seasons/hardship_add.html", form=form)
    if form.validate():
        try:
            services.add_worker(me(), current_program_year(), editable(), **form.data)
        except ZhijiaError as error:
            form.refuse(error)
        else:
            flash(_("%(name)s is on the hardship list now.", name=form.name.data), "success")
            return redirect(url_for("four_seasons.hardship_list"))
    return render_template("four_seasons/hardship_add.html", form=form), 400


@blueprint.post("/hardship/<int:hardship_id>/remove")
@needs(EDIT)
def hardship_remove(hardship_id: int) -> Response:
    """Take one worker off the list."""
    program_year = current_program_year()
    row = queries.find_hardship(program_year, hardship_id, editable())
    services.remove_worker(me(), program_year, row)
    flash(_("The worker is off the hardship list."), "success")
    return redirect(url_for("four_seasons.hardship_list"))


@blueprint.get("/allotment")
@needs(ALLOT)
def allotment() -> str:
    """Who gets how much of the sponsor's money, and what is still missing."""
    program_year = current_program_year()
    require(me(), ALLOT, program_year.org_path, program_year.program)
    return render_template(
        "four_seasons/allotment.html",
        plan=allotting.plan(program_year),
        program_year=program_year,
        is_open=state_of(program_year) == "open",
    )


@blueprint.post("/allotment")
@needs(ALLOT)
def allot() -> Response:
    """Pass the sponsor's money down."""
    allotments = allotting.allot_by_number_on_file(me(), current_program_year(), today())
    flash(_("Allotted to %(count)s unions.", count=len(allotments)), "success")
    return redirect(url_for("four_seasons.allotment"))


@blueprint.post("/allotment/own-funds")
@needs(ALLOT)
def own_funds() -> Response:
    """Book what the unions raise themselves."""
    allotments = allotting.book_own_funds(me(), current_program_year(), today())
    flash(_("Own funds of %(count)s unions are booked.", count=len(allotments)), "success")
    return redirect(url_for("four_seasons.allotment"))


def _filters(scope: Scope) -> Filters:
    code = request.args.get("org", "").strip()
    org = by_code(code) if code else None
    category = request.args.get("category")
    return Filters(
        category=category if category in CATEGORY_TITLES else None,
        org=org if org is not None and scope.touches(org.path) else None,
        text=request.args.get("text", "").strip(),
    )


def _after() -> tuple[str, int] | None:
    path, _sign, number = request.args.get("after", "").rpartition(":")
    return (path, int(number)) if path and number.isdecimal() else None
