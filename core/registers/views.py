"""The pages of registers below ``/<year>/<sponsor>/<program>/registers/<name>/``: list, add, change, remove.

The gate has checked year and sponsor; here the register's own permissions are asked for, and rows keep to the scope.
"""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from core.errors import ZhijiaError
from core.lists.columns import headings, shown
from core.lists.types import Action
from core.lists.types import Line as ListLine
from core.lists.views import Frame, Shown, change_list, show_list
from core.org.scope import Scope
from core.people.forms import PurposeForm
from core.plugin.gate import current_program_year
from core.plugin.types import Register
from core.privacy.services import show_numbers
from core.programs.queries import state_of
from core.registers import queries, services
from core.registers.access import line_of as _line
from core.registers.access import register_here as _register
from core.registers.access import register_to_change as _register_to_change
from core.registers.history import Change, as_shown, read_seen, shown_difference, shown_values, values_of, write_seen
from core.registers.listing import STATE, listing_of
from core.registers.parts import batch_actions, list_actions, record_parts
from core.registers.queries import Line
from core.registers.similar import Similar
from core.registers.states import is_changeable, is_open_state, refuse_unless_changeable
from core.users.access import scope_of
from core.web.forms import Form
from core.web.guard import found, me, reads_only

blueprint = Blueprint(
    "registers",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>",
    template_folder="templates",
)
SHOW_NUMBERS = "people.numbers"
Page = str | AnyResponse | tuple[str, int] | Shown


@blueprint.get("/")
def index(name: str) -> Page:
    """The list, filtered, sorted, a page at a time."""
    return show_list(**_list(_register(name)))


@blueprint.post("/view")
@reads_only
def view(name: str) -> Page:
    """What the reader chooses for the list: columns, saved filters, one person by number."""
    return change_list(**_list(_register(name)))


@blueprint.route("/add", methods=["GET", "POST"])
def add(name: str) -> Page:
    """The form for a new entry."""
    program_year, register = current_program_year(), _register_to_change(name)
    form = register.form(request.form if request.method == "POST" else None)
    if request.method == "GET":
        return _form_page(register, form)
    if form.validate():
        try:
            services.add(me(), register, program_year, form.data, request.form.get("others", ""))
        except Similar as similar:
            form.refuse(similar)
            return _form_page(register, form, similar=similar), similar.status
        except ZhijiaError as error:
            form.refuse(error)
        else:
            flash(_("The entry is in the register."), "success")
            return redirect(url_for(".index", name=name))
    return _form_page(register, form), 400


@blueprint.get("/<int:row_id>")
def show(name: str, row_id: int) -> str:
    """One entry: what its form holds, its history, and what other areas add."""
    register = _register(name)
    services.note_shown(me(), register, _line(register, row_id, register.view_permission).row)
    return _entry_page(register, row_id)


@blueprint.post("/<int:row_id>/numbers")
def numbers(name: str, row_id: int) -> str | tuple[str, int]:
    """The entry with the person's numbers in full; that somebody looked, and what for, is on record."""
    register = _register(name)
    row = _line(register, row_id, register.view_permission).row
    whose = found(row.person_id if register.of_people and _numbers_scope().includes(row.org_path) else None)
    form = PurposeForm(request.form)
    if form.validate():
        try:
            return _entry_page(register, row_id, show_numbers(me(), _numbers_scope(), whose, form.asked()))
        except ZhijiaError as error:
            form.refuse(error)
            return _entry_page(register, row_id, asking=form), error.status
    return _entry_page(register, row_id, asking=form), 400


@blueprint.route("/<int:row_id>/change", methods=["GET", "POST"])
def change(name: str, row_id: int) -> Page:
    """The form with an entry of the register; whose it is, stays."""
    register = _register_to_change(name)
    line = _line(register, row_id, register.edit_permission)
    if request.method == "GET":
        refuse_unless_changeable(register, line.row)
    form = register.form(request.form if request.method == "POST" else None, obj=line.row)
    for field in register.form.whose:
        del form[field]
    if request.method == "GET":
        return _form_page(register, form, line)
    meanwhile: Change | None = None
    if form.validate():
        try:
            seen = read_seen(request.form.get("seen", ""))
            services.change(me(), register, current_program_year(), line.row, form.data, seen)
        except ZhijiaError as error:
            form.refuse(error)
            meanwhile = _meanwhile(register, error)
            line = _line(register, row_id, register.edit_permission)
        else:
            flash(_("The entry is changed."), "success")
            return redirect(url_for(".show", name=name, row_id=row_id))
    return _form_page(register, form, line, meanwhile), 400


@blueprint.post("/<int:row_id>/remove")
def remove(name: str, row_id: int) -> AnyResponse:
    """Take an entry out of the register."""
    register = _register_to_change(name)
    row = _line(register, row_id, register.edit_permission).row
    try:
        services.remove(me(), register, current_program_year(), row)
    except ZhijiaError as error:
        flash(str(error), "danger")
        return redirect(url_for(".show", name=name, row_id=row_id))
    flash(_("The entry is removed."), "success")
    return redirect(url_for(".index", name=name))


def _editable(register: Register) -> Scope:
    """Where the user may change rows: nowhere while the year is not open."""
    program_year = current_program_year()
    is_open = state_of(program_year) == "open"
    return scope_of(me(), register.edit_permission, program_year.program) if is_open else Scope()


def _numbers_scope() -> Scope:
    return scope_of(me(), SHOW_NUMBERS, current_program_year().program)


def _list(register: Register) -> dict[str, Any]:
    """What :func:`show_list` and :func:`change_list` want."""
    program_year, name, editable = current_program_year(), register.name, _editable(register)

    def row_actions(line: ListLine) -> list[Action]:
        may_change = editable.includes(line.org_path) and is_open_state(register, line.values.get(STATE, ""))
        return [Action(title=_("Change"), url=url_for(".change", name=name, row_id=line.id))] if may_change else []

    return {
        "template": "registers/index.html",
        "listing": listing_of(register, program_year),
        "scope": scope_of(me(), register.view_permission, program_year.program),
        "frame": Frame(
            index=url_for(".index", name=name),
            change=url_for(".view", name=name),
            link=lambda line: url_for(".show", name=name, row_id=line.id),
            row_actions=row_actions if editable.paths else None,
            batch=batch_actions(me(), register, program_year),
            exported_as={"list": register.code, "in": program_year.id},
            empty=(_("The register is empty."), _("Add the first entry.") if editable.paths else ""),
        ),
        "register": register,
        "editable": editable,
        "actions": list_actions(me(), register, program_year),
    }


def _meanwhile(register: Register, error: ZhijiaError) -> Change | None:
    """What somebody else has changed since the form was opened, if that is the error."""
    if not isinstance(error, services.Outdated):
        return None
    fields = shown_difference(register, error.meanwhile)
    last = error.last
    return Change("change", last.actor, last.at, fields) if last else Change("change", "", None, fields)


def _form_page(
    register: Register,
    form: Form,
    line: Line | None = None,
    meanwhile: Change | None = None,
    similar: Similar | None = None,
) -> str:
    return render_template(
        "registers/form.html",
        register=register,
        form=form,
        line=line,
        seen=write_seen(values_of(register, line.row)) if line else "",
        meanwhile=meanwhile,
        similar=similar,
    )


def _links(register: Register, row: Any) -> list[Action]:
    """Where the register leads from an entry."""
    found = ((link, link.address(row)) for link in register.links)
    return [
        Action(title=link.title, url=url_for(link.endpoint, **address), icon=link.icon)
        for link, address in found
        if address is not None
    ]


def _entry_page(
    register: Register, row_id: int, in_full: Sequence[tuple[str, str]] = (), asking: PurposeForm | None = None
) -> str:
    program_year, user = current_program_year(), me()
    line = _line(register, row_id, register.view_permission)
    of_form = shown_values(register, values_of(register, line.row))
    others = [column for column in register.columns if column.name not in of_form and column.expression is None]
    return render_template(
        "registers/show.html",
        register=register,
        line=line,
        facts=[*of_form.values()]
        + [
            (heading, shown(column, getattr(line.row, column.name)))
            for column, heading in zip(others, headings(others), strict=True)
        ],
        in_full=in_full,
        asking=asking or PurposeForm(),
        may_see_numbers=register.of_people and _numbers_scope().includes(line.row.org_path),
        may_change=_editable(register).includes(line.row.org_path) and is_changeable(register, line.row),
        changes=[as_shown(register, change) for change in queries.changes_of(register, row_id)],
        parts=record_parts(user, register, program_year, line.row),
        links=_links(register, line.row),
    )
