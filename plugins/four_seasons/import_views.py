"""The pages of uploaded hardship lists: upload, look, merge or cancel, and the files that go with it."""

import tempfile
from pathlib import Path

from flask import Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.api import ZhijiaError, current_program_year, me, needs, scope_of, send_xlsx
from plugins.four_seasons import importing, queries
from plugins.four_seasons.cards import EDIT
from plugins.four_seasons.forms import MergeForm, UploadForm
from plugins.four_seasons.models import Import
from plugins.four_seasons.queries import PAGE
from plugins.four_seasons.titles import CATEGORY_TITLES, COLUMNS, IMPORT_STATE_TITLES, REQUIRED
from plugins.four_seasons.views import blueprint as blueprint
from plugins.four_seasons.views import editable


@blueprint.get("/imports")
@needs(EDIT)
def imports() -> str:
    """The upload form and the last lists."""
    return _imports_page(UploadForm())


@blueprint.post("/imports")
@needs(EDIT)
def upload() -> AnyResponse | tuple[str, int]:
    """Take a file, check every row, show what came out."""
    form = UploadForm()
    sent = request.files.get("file")
    name = sent.filename if sent and sent.filename else ""
    if not sent or not name:
        form.refuse(ZhijiaError(_("Choose a file first."), field="file"))
        return _imports_page(form), 400
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "list"
        sent.save(path)
        try:
            staged = importing.stage(me(), current_program_year(), editable(), path, Path(name).name)
        except ZhijiaError as error:
            error.field = "file"
            form.refuse(error)
            return _imports_page(form), 400
    return redirect(url_for("four_seasons.import_page", import_id=staged.id))


@blueprint.get("/imports/<int:import_id>")
@needs(EDIT)
def import_page(import_id: int) -> str:
    """What is good and what is bad in one list."""
    staged = _found(import_id)
    after = request.args.get("after", 0, type=int)
    bad = queries.import_rows(staged, bad=True, after=after, limit=PAGE + 1)
    return render_template(
        "four_seasons/import.html",
        upload=staged,
        bad=bad[:PAGE],
        next_after=bad[PAGE - 1].line if len(bad) > PAGE else None,
        after=after,
        good=queries.import_rows(staged, bad=False, limit=10) if not after else [],
        states=IMPORT_STATE_TITLES,
        categories=CATEGORY_TITLES,
    )


@blueprint.post("/imports/<int:import_id>/merge")
@needs(EDIT)
def import_merge(import_id: int) -> AnyResponse:
    """Put the good rows on the list, in the background."""
    form = MergeForm(request.form)
    importing.start_merge(me(), _found(import_id), only_good=bool(form.only_good.data))
    flash(_("The rows are being put on the list."), "success")
    return redirect(url_for("four_seasons.import_page", import_id=import_id))


@blueprint.post("/imports/<int:import_id>/cancel")
@needs(EDIT)
def import_cancel(import_id: int) -> AnyResponse:
    """Throw the list away."""
    importing.cancel(me(), _found(import_id))
    flash(_("The upload is cancelled; nothing of it is on the list."), "success")
    return redirect(url_for("four_seasons.imports"))


@blueprint.get("/imports/<int:import_id>/errors.xlsx")
@needs(EDIT)
def import_errors(import_id: int) -> Response:
    """The bad rows with the reason beside each, to correct and upload again."""
    staged = _found(import_id)
    return send_xlsx(lambda target: importing.write_errors(staged, target), f"问题行-{staged.id}.xlsx")


@blueprint.get("/imports/template.xlsx")
@needs(EDIT)
def import_template() -> Response:
    """An empty list to fill in."""
    return send_xlsx(importing.write_template, "困难职工名单模板.xlsx")


def _found(import_id: int) -> Import:
    program_year = current_program_year()
    return queries.find_import(program_year.id, import_id, scope_of(me(), EDIT, program_year.program))


def _imports_page(form: UploadForm) -> str:
    program_year = current_program_year()
    return render_template(
        "four_seasons/imports.html",
        form=form,
        uploads=queries.imports_of(program_year, scope_of(me(), EDIT, program_year.program)),
        states=IMPORT_STATE_TITLES,
        columns=COLUMNS,
        required=REQUIRED,
    )
