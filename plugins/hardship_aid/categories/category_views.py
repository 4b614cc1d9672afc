"""The pages of categories below ``/<year>/<sponsor>/hardship_aid/categories``: the list, one file, deciding."""

from collections.abc import Callable

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.api import (
    NotFound,
    Refused,
    Scope,
    User,
    ZhijiaError,
    can,
    current_program_year,
    me,
    needs,
    scope_of,
    state_of,
)
from plugins.hardship_aid.categories import queries, services
from plugins.hardship_aid.categories.forms import DecisionForm
from plugins.hardship_aid.categories.queries import PAGE, FileRow
from plugins.hardship_aid.pairing import queries as pairing
from plugins.hardship_aid.views import Page, blueprint
from plugins.hardship_aid.words import CATEGORY_COLOURS, CAUSES, EDIT, OUTCOMES, PROGRAM, REVIEW, VIEW, WORKERS

#: What the list may be narrowed down to, as people read it.
FILTERS = {
    "all": _l("All open files"),
    "uncomputed": _l("Not computed yet"),
    "none": _l("In no category, and nothing decided"),
    "differing": _l("Decided otherwise than computed"),
    "stale": _l("To be checked again"),
}


@blueprint.get("/categories")
@needs(VIEW)
def categories() -> str:
    """Open files by what the rule came to and what was decided."""
    program_year, scope = current_program_year(), _scope()
    shown = request.args.get("show", "all")
    shown = shown if shown in FILTERS else "all"
    after = request.args.get("after", 0, type=int)
    rows = queries.page_of_files(program_year, scope, shown, after=after)
    return render_template(
        "hardship_aid/categories.html",
        rows=rows[:PAGE],
        next=rows[PAGE - 1].file.id if len(rows) > PAGE else None,
        is_first=not after,
        shown=shown,
        filters=FILTERS,
        counts=queries.counts(program_year, scope),
        may_classify=_is_open() and can(me(), EDIT, program_year.org_path, PROGRAM),
        **_words(),
    )


@blueprint.post("/categories/classify")
@needs(EDIT)
def classify() -> Page:
    """Have a worker compute all files."""
    try:
        services.ask_to_classify(me(), current_program_year())
    except Refused as error:
        flash(str(error), "warning")
    else:
        flash(_("The categories are being computed."), "success")
    return redirect(url_for(".categories"))


@blueprint.get("/categories/<int:file_id>")
@needs(VIEW)
def category(file_id: int) -> Page:
    """What one file came to, with what, and what was decided; that somebody looked is on record."""
    row = _row(file_id)
    services.look_at(me(), row.file)
    return _file_page(file_id, DecisionForm())


@blueprint.post("/categories/<int:file_id>/compute")
@needs(EDIT)
def compute(file_id: int) -> Page:
    """Compute one file."""
    _row(file_id)
    return _done(file_id, lambda user: services.classify(user, current_program_year(), file_id), _("Computed."))


@blueprint.post("/categories/<int:file_id>/decide")
@needs(REVIEW)
def decide(file_id: int) -> Page:
    """Decide against what the rule came to."""
    _row(file_id)
    form, status = DecisionForm(request.form), 400
    if form.validate():
        said = form.decided.data or "", form.decided_because.data or ""
        try:
            services.decide(me(), current_program_year(), file_id, *said)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("Decided."), "success")
            return redirect(url_for(".category", file_id=file_id))
    return _file_page(file_id, form), status


@blueprint.post("/categories/<int:file_id>/take-back")
@needs(REVIEW)
def take_back(file_id: int) -> Page:
    """Let the rule count again."""
    _row(file_id)
    said = _("The decision is taken back; the rule counts again.")
    return _done(file_id, lambda user: services.take_back(user, current_program_year(), file_id), said)


def _done(file_id: int, step: Callable[[User], object], said: str) -> Page:
    """Take a step that has no form of its own; a refusal is shown on the page of the file."""
    try:
        step(me())
    except ZhijiaError as error:
        form = DecisionForm()
        form.refuse(error)
        return _file_page(file_id, form), error.status
    flash(said, "success")
    return redirect(url_for(".category", file_id=file_id))


def _file_page(file_id: int, form: DecisionForm) -> str:
    row = _row(file_id)
    path, is_open = row.file.org_path, _is_open()
    is_maker = row.file.made_by == me().id
    return render_template(
        "hardship_aid/category.html",
        row=row,
        file=row.file,
        form=form,
        pairs=pairing.pairs_of(_scope(), row.file.person_id),
        visits=pairing.visits_to(current_program_year(), _scope(), row.file.person_id),
        may_compute=is_open and can(me(), EDIT, path, PROGRAM),
        may_decide=is_open and not is_maker and can(me(), REVIEW, path, PROGRAM),
        **_words(),
    )


def _words() -> dict[str, object]:
    return {"outcomes": OUTCOMES, "colours": CATEGORY_COLOURS, "workers": WORKERS, "causes": CAUSES}


def _row(file_id: int) -> FileRow:
    row = queries.find_file(current_program_year(), _scope(), file_id)
    if row is None:
        raise NotFound(_("There is no such file, or none that you may see."))
    return row


def _scope() -> Scope:
    return scope_of(me(), VIEW, PROGRAM)


def _is_open() -> bool:
    return state_of(current_program_year()) == "open"
