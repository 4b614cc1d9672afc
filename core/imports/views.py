"""The pages of imports below the address of a register: upload, name the columns, look, merge, cancel, take back."""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.audit.services import look
from core.errors import ZhijiaError
from core.imports import queries, services
from core.imports.alike import alike_of
from core.imports.fields import PERSONAL, fields_of, matched
from core.imports.forms import MergeForm, UploadForm
from core.imports.merging import subject_of
from core.imports.models import Import
from core.imports.queries import PAGE
from core.imports.sheets import as_typed, write_errors, write_template
from core.people.numbers import mask_id
from core.plugin.gate import current_program_year
from core.plugin.types import Register
from core.registers.access import register_to_change
from core.registers.sheets import send_xlsx
from core.users.access import scope_of
from core.web.guard import found, me

blueprint = Blueprint(
    "imports",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>/imports",
    template_folder="templates",
)
Page = str | AnyResponse | tuple[str, int]
#: Good rows that the page shows, for a look.
SHOWN = 10


@blueprint.get("/")
def index(name: str) -> str:
    """The upload form and the last files."""
    return _index_page(register_to_change(name), UploadForm())


@blueprint.post("/")
def upload(name: str) -> Page:
    """Take a file and check every row."""
    register, form, sent = register_to_change(name), UploadForm(), request.files.get("file")
    try:
        if sent is None or not sent.filename:
            raise ZhijiaError(_("Choose a file first."))
        one = services.upload(me(), register, current_program_year(), sent.stream, sent.filename)
    except ZhijiaError as error:
        error.field = "file"
        form.refuse(error)
        return _index_page(register, form), 400
    finally:
        if sent is not None:
            sent.close()
    return redirect(url_for(".show", name=name, import_id=one.id))


@blueprint.get("/<int:import_id>")
def show(name: str, import_id: int) -> str:
    """What is good and what is bad in one file, or what its columns are."""
    register = register_to_change(name)
    one = _import(register, import_id)
    return _columns_page(register, one) if one.state == "mapping" else _import_page(register, one)


@blueprint.post("/<int:import_id>/columns")
def columns(name: str, import_id: int) -> Page:
    """Take what the user says about the columns, and read the file."""
    register = register_to_change(name)
    one, chosen = _import(register, import_id), request.form.getlist("column")
    try:
        services.choose_columns(me(), one, register, current_program_year(), chosen)
    except ZhijiaError as error:
        return _columns_page(register, _import(register, import_id), chosen, str(error)), error.status
    return redirect(url_for(".show", name=name, import_id=import_id))


@blueprint.post("/<int:import_id>/merge")
def merge(name: str, import_id: int) -> AnyResponse:
    """Put the good rows into the register, in the background."""
    register, form = register_to_change(name), MergeForm(request.form)
    one = _import(register, import_id)
    services.start_merge(me(), one, register, current_program_year(),
        only_good=bool(form.only_good.data), others=bool(form.others.data),
    )  # fmt: skip
    return redirect(url_for(".show", name=name, import_id=import_id))


@blueprint.post("/<int:import_id>/cancel")
def cancel(name: str, import_id: int) -> AnyResponse:
    """Throw the file away."""
    services.cancel(me(), _import(register_to_change(name), import_id))
    flash(_("The import is cancelled; nothing of it is in the register."), "success")
    return redirect(url_for(".index", name=name))


@blueprint.post("/<int:import_id>/undo")
def undo(name: str, import_id: int) -> AnyResponse:
    """Take back what the import put into the register."""
    register = register_to_change(name)
    one = _import(register, import_id)
    services.undo(me(), one, register, current_program_year())
    if not one.removed:
        sentence = _("None of the entries can be taken back: all were changed since, or something else needs them.")
        flash(sentence, "warning")
    return redirect(url_for(".show", name=name, import_id=import_id))


@blueprint.get("/<int:import_id>/errors.xlsx")
def errors(name: str, import_id: int) -> Response:
    """The bad rows with the reason beside each, to correct and upload again."""
    register = register_to_change(name)
    one = _import(register, import_id)
    look(me(), "import.faults", subject_of(one), one.org_path, register=register.code)
    return send_xlsx(lambda target: write_errors(one, register, target), f"{register.title}-问题行-{one.id}.xlsx")


@blueprint.get("/template.xlsx")
def template(name: str) -> Response:
    """An empty list to fill in."""
    register = register_to_change(name)
    return send_xlsx(lambda target: write_template(register, target), f"{register.title}-模板.xlsx")


def _import(register: Register, import_id: int) -> Import:
    program_year = current_program_year()
    scope = scope_of(me(), register.edit_permission, program_year.program)
    return found(queries.find_import(register, program_year, scope, import_id))


def _index_page(register: Register, form: UploadForm) -> str:
    program_year = current_program_year()
    scope = scope_of(me(), register.edit_permission, program_year.program)
    return render_template(
        "imports/index.html",
        register=register,
        form=form,
        fields=fields_of(register),
        imports=queries.imports_of(register, program_year, scope),
    )


def _columns_page(register: Register, one: Import, chosen: list[str] | None = None, error: str = "") -> str:
    fields = fields_of(register)
    guessed = matched(one.headings, fields, queries.remembered(me().id, register))
    return render_template(
        "imports/columns.html",
        register=register,
        one=one,
        fields=fields,
        columns=list(zip(one.headings, chosen or guessed, strict=False)),
        unknown=[heading for heading, name in zip(one.headings, guessed, strict=True) if name is None],
        error=error,
        same=queries.same_file(one),
    )


def _from(name: str) -> int:
    """The line after which a page begins."""
    line = max(request.args.get(name, 0, type=int), 0)
    return line if line < 2**63 else 0


def _import_page(register: Register, one: Import) -> str:
    after, alike_after = _from("after"), _from("alike_after")
    bad = queries.rows_of(one, bad=True, after=after, limit=PAGE + 1)
    alike = queries.alike_rows(one, after=alike_after, limit=PAGE + 1) if one.state == "staged" else []
    program_year = current_program_year()
    scope = scope_of(me(), register.view_permission, program_year.program)
    good = [] if after else queries.rows_of(one, bad=False, limit=SHOWN) if one.state == "staged" else []
    form = register.form()
    return render_template(
        "imports/show.html",
        register=register,
        one=one,
        shown_fields=[field for field in fields_of(register) if field.name not in PERSONAL],
        bad=bad[:PAGE],
        next_after=bad[PAGE - 1].line if len(bad) > PAGE else None,
        after=after,
        good=good,
        alike=alike[:PAGE],
        alike_next=alike[PAGE - 1].line if len(alike) > PAGE else None,
        alike_after=alike_after,
        alike_to=alike_of(one, register, program_year, scope, [row.line for row in alike[:PAGE]]),
        typed={row.line: as_typed(form, row) for row in [*bad, *good, *alike]},
        mask_id=mask_id,
        work=queries.work_of(one),
        too_bad=services.too_bad(one, register),
        can_be_undone=services.can_be_undone(one),
    )
