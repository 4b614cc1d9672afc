"""The page of comparisons with data from outside: lists that were sent in, and what was found."""

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from core.api import ZhijiaError, can, current_program_year, me, needs, scope_of, sent_file, state_of
from plugins.hardship_aid.categories import outside, queries
from plugins.hardship_aid.categories.forms import OutsideForm
from plugins.hardship_aid.categories.outside import BadRows, Faults
from plugins.hardship_aid.categories.queries import PAGE
from plugins.hardship_aid.categories.words import KINDS
from plugins.hardship_aid.views import Page, blueprint
from plugins.hardship_aid.words import EDIT, PROGRAM, VIEW


@blueprint.get("/comparisons")
@needs(VIEW)
def comparisons() -> str:
    """The lists of the reader's unions, and the hits among their files."""
    return _page(OutsideForm())


@blueprint.post("/comparisons")
@needs(EDIT)
def compare() -> Page:
    """Take a list and compare it."""
    form = OutsideForm()
    try:
        with sent_file() as (content, name):
            done = outside.compare(me(), current_program_year(), content, name)
    except ZhijiaError as error:
        if error.field is None and error.status == 400:
            error.field = "file"
        form.refuse(error)
        return _page(form, error.faults if isinstance(error, BadRows) else None), error.status
    said = _("%(files)s files were compared with %(rows)s entries; %(hits)s new hits.")
    flash(said % {"files": f"{done.files:,}", "rows": f"{done.rows:,}", "hits": f"{done.hits:,}"}, "success")
    return redirect(url_for(".comparisons"))


def _page(form: OutsideForm, faults: Faults | None = None) -> str:
    program_year, scope = current_program_year(), scope_of(me(), VIEW, PROGRAM)
    before = request.args.get("before", type=int)
    hits = queries.page_of_hits(program_year, scope, before=before)
    return render_template(
        "hardship_aid/comparisons.html",
        form=form,
        faults=faults,
        lists=queries.lists(program_year, scope),
        hits=hits[:PAGE],
        next=hits[PAGE - 1].hit.id if len(hits) > PAGE else None,
        is_first=before is None,
        kinds=KINDS,
        may_compare=state_of(program_year) == "open" and can(me(), EDIT, me().org_path, PROGRAM),
    )
