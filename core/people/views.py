"""The pages of the people on file."""

from collections.abc import Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.org.queries import visible
from core.org.scope import Scope
from core.people.forms import IdNumberForm
from core.people.merging import compare, merge
from core.people.numbers import parse_id_number
from core.people.personal import show_data, show_numbers
from core.people.queries import by_id, by_id_number, page_of_people
from core.users.access import scope_of
from core.web.guard import found, me, needs

EDIT, DATA, NUMBERS = "people.edit", "people.data", "people.numbers"
blueprint = Blueprint("people", __name__, url_prefix="/people", template_folder="templates")


def _scope(permission: str = "people.view") -> Scope:
    return scope_of(me(), permission)


def _list(form: IdNumberForm, status: int = 200) -> tuple[str, int]:
    scope, code, search = _scope(), request.args.get("org", ""), request.args.get("q", "")
    org = found(visible(scope, code)) if code else None
    page = page_of_people(
        scope, search=search, org_path=org.path if org else "", after=request.args.get("after", type=int)
    )
    return render_template("people/index.html", page=page, search=search, org=org, form=form), status


@blueprint.get("")
@needs("people.view")
def index() -> tuple[str, int]:
    """The people whom the user may see, by name or org."""
    return _list(IdNumberForm())


@blueprint.post("/find")
@needs("people.view")
def find() -> Response | tuple[str, int]:
    """Go to the person with an identity number; somebody out of scope looks like nobody."""
    form = IdNumberForm(request.form)
    if not form.validate():
        return _list(form, 400)
    try:
        number = parse_id_number(form.id_number.data or "").number
    except ZhijiaError as error:
        form.refuse(error)
        return _list(form, error.status)
    person = found(by_id_number(_scope(), number))
    return redirect(url_for("people.show", person_id=person.id))


def _person(
    person_id: int, form: IdNumberForm, status: int = 200, in_full: Sequence[tuple[str, str]] = ()
) -> tuple[str, int]:
    person = found(by_id(_scope(), person_id))
    into = by_id(_scope(), person.merged_into) if person.merged_into else None
    may_merge = person.active and _scope(EDIT).includes(person.org_path)
    may_see_data = not person.merged_into and _scope(DATA).includes(person.org_path)
    page = render_template(
        "people/show.html",
        person=person,
        into=into,
        form=form,
        in_full=in_full,
        may_merge=may_merge,
        may_see_data=may_see_data,
        may_see_numbers=not person.erased and _scope(NUMBERS).includes(person.org_path),
    )
    return page, status


@blueprint.get("/<int:person_id>")
@needs("people.view")
def show(person_id: int) -> tuple[str, int]:
    """One person, numbers masked."""
    return _person(person_id, IdNumberForm())


@blueprint.post("/<int:person_id>/numbers")
@needs(NUMBERS)
def numbers(person_id: int) -> tuple[str, int]:
    """The same page with the numbers in full; that somebody looked is on record."""
    found(by_id(_scope(), person_id))
    return _person(person_id, IdNumberForm(), in_full=show_numbers(me(), _scope(NUMBERS), person_id))


@blueprint.post("/<int:person_id>/duplicate")
@needs(EDIT)
def duplicate(person_id: int) -> str | tuple[str, int]:
    """Both files side by side, before they are merged; the number of the other one stands in no address."""
    form = IdNumberForm(request.form)
    if not form.validate():
        return _person(person_id, form, 400)
    try:
        number = parse_id_number(form.id_number.data or "").number
        kept, dropped = compare(_scope(EDIT), person_id, number)
    except ZhijiaError as error:
        form.refuse(error)
        return _person(person_id, form, error.status)
    return render_template("people/merge.html", kept=kept, dropped=dropped)


@blueprint.post("/<int:person_id>/merge")
@needs(EDIT)
def merge_files(person_id: int) -> Response | tuple[str, int]:
    """Merge the other file into this one."""
    form = IdNumberForm()
    try:
        merge(me(), _scope(EDIT), person_id, request.form.get("dropped", 0, type=int))
    except ZhijiaError as error:
        form.refuse(error)
        return _person(person_id, form, error.status)
    flash(_("The two files are one now."), "success")
    return redirect(url_for("people.show", person_id=person_id))


@blueprint.get("/<int:person_id>/data")
@needs(DATA)
def data(person_id: int) -> str:
    """Everything that is kept about a person; that somebody looked is on record."""
    person = found(by_id(_scope(DATA), person_id))
    return render_template("people/data.html", person=person, records=show_data(me(), _scope(DATA), person_id))
