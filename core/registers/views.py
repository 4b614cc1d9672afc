"""The pages of registers below ``/<year>/<sponsor>/<program>/registers/<name>/``: list, add, change, remove, download.

The gate has checked year and sponsor; here the register's own permissions are asked for, and rows keep to the scope.
"""

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.errors import NotFound, ZhijiaError
from core.org.queries import visible
from core.org.scope import Scope
from core.plugin.gate import current_program_year, refuse_unless_open
from core.plugin.types import Register
from core.programs.queries import state_of
from core.registers import queries, services
from core.registers.columns import NUMBERS, headings, shown
from core.registers.forms import FilterForm
from core.registers.queries import PAGE, Filters, Line
from core.registers.sheets import send_xlsx
from core.users.access import can_anywhere, refuse, scope_of
from core.web.forms import Form
from core.web.guard import found, me
from core.web.paging import place_in, token_of

blueprint = Blueprint(
    "registers",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>",
    template_folder="templates",
)
Page = str | AnyResponse | tuple[str, int]


@blueprint.get("/")
def index(name: str) -> Page:
    """The list, filtered, a page at a time."""
    program_year, register = current_program_year(), _register(name)
    scope = scope_of(me(), register.view_permission, program_year.program)
    form, status, lines = FilterForm(request.args), 200, list[Line]()
    try:
        filters = _filters(form, scope)
        lines = queries.page_of(register, program_year, scope, filters, place_in(request.args.get("after", "")))
    except ZhijiaError as error:
        form.refuse(error)
        status = error.status
    last = lines[PAGE - 1].row if len(lines) > PAGE else None
    page = render_template(
        "registers/index.html",
        register=register,
        lines=lines[:PAGE],
        headings=list(zip(register.columns, headings(register.columns), strict=True)),
        numbers=NUMBERS,
        shown=shown,
        form=form,
        asked={field.name: field.data for field in form if field.data},
        is_first="after" not in request.args,
        next_after=token_of(last.org_path, last.id) if last else None,
        editable=_editable(register),
    )
    return page, status


@blueprint.route("/add", methods=["GET", "POST"])
def add(name: str) -> Page:
    """The form for a new entry."""
    program_year, register = current_program_year(), _register_to_change(name)
    form = register.form(request.form if request.method == "POST" else None)
    if request.method == "GET":
        return _form_page(register, form)
    if form.validate():
        try:
            services.add(me(), register, program_year, form.data)
        except ZhijiaError as error:
            form.refuse(error)
        else:
            flash(_("The entry is in the register."), "success")
            return redirect(url_for(".index", name=name))
    return _form_page(register, form), 400


@blueprint.route("/<int:row_id>", methods=["GET", "POST"])
def change(name: str, row_id: int) -> Page:
    """The form with an entry of the register; whose it is, stays."""
    program_year, register = current_program_year(), _register_to_change(name)
    line = _line(register, row_id)
    form = register.form(request.form if request.method == "POST" else None, obj=line.row)
    for field in register.whose:
        del form[field]
    if request.method == "GET":
        return _form_page(register, form, line)
    if form.validate():
        try:
            services.change(me(), register, program_year, line.row, form.data)
        except ZhijiaError as error:
            form.refuse(error)
            line = _line(register, row_id)
        else:
            flash(_("The entry is changed."), "success")
            return redirect(url_for(".index", name=name))
    return _form_page(register, form, line), 400


@blueprint.post("/<int:row_id>/remove")
def remove(name: str, row_id: int) -> AnyResponse:
    """Take an entry out of the register."""
    register = _register_to_change(name)
    row = _line(register, row_id).row
    try:
        services.remove(me(), register, current_program_year(), row)
    except ZhijiaError as error:
        flash(str(error), "danger")
        return redirect(url_for(".change", name=name, row_id=row_id))
    flash(_("The entry is removed."), "success")
    return redirect(url_for(".index", name=name))


@blueprint.get("/download.xlsx")
def download(name: str) -> Response:
    """The list as it is filtered, for Excel."""
    program_year, register = current_program_year(), _register(name)
    filters = _filters(FilterForm(request.args), scope_of(me(), register.view_permission, program_year.program))
    return send_xlsx(
        lambda target: services.download(me(), register, program_year, filters, target),
        f"{register.title}-{program_year.year}.xlsx",
    )


def _register(name: str) -> Register:
    program_year = current_program_year()
    register = found(queries.find_register(program_year, name))
    if not can_anywhere(me(), register.view_permission, program_year.program):
        refuse(register.view_permission)
    return register


def _register_to_change(name: str) -> Register:
    """The register, for who may change it somewhere, while the year is open."""
    program_year = current_program_year()
    register = found(queries.find_register(program_year, name))
    if not can_anywhere(me(), register.edit_permission, program_year.program):
        refuse(register.edit_permission)
    refuse_unless_open(program_year)
    return register


def _editable(register: Register) -> Scope:
    """Where the user may change rows: nowhere while the year is not open."""
    program_year = current_program_year()
    is_open = state_of(program_year) == "open"
    return scope_of(me(), register.edit_permission, program_year.program) if is_open else Scope()


def _line(register: Register, row_id: int) -> Line:
    program_year = current_program_year()
    scope = scope_of(me(), register.edit_permission, program_year.program)
    return found(queries.find_line(register, program_year, row_id, scope))


def _filters(form: FilterForm, scope: Scope) -> Filters:
    code = form.org.data or ""
    org = visible(scope, code) if code else None
    if code and org is None:
        sentence = _("There is no organisation with the code “%(code)s” here.", code=code)
        raise NotFound(sentence, field="org")
    return Filters(org, form.text.data or "")


def _form_page(register: Register, form: Form, line: Line | None = None) -> str:
    return render_template("registers/form.html", register=register, form=form, line=line)
