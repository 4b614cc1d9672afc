"""The pages of the people on file."""

from collections.abc import Sequence
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.audit.queries import looks_at
from core.errors import Refused, ZhijiaError
from core.lists.views import Frame, Shown, change_list, show_list
from core.org.scope import Scope
from core.people.correcting import Correction, correct_person
from core.people.forms import CorrectionForm, IdNumberForm, PurposeForm
from core.people.listing import PEOPLE
from core.people.merging import compare, merge
from core.people.numbers import parse_id_number
from core.people.personal import show_data, show_file
from core.people.purposes import purpose_title
from core.people.queries import by_id
from core.plugin.types import PersonalRecord
from core.privacy.queries import SHOWN
from core.privacy.services import show_numbers
from core.users.access import scope_of
from core.web.forms import SignedForm
from core.web.guard import found, me, needs, prove

EDIT, DATA, NUMBERS = "people.edit", "people.data", "people.numbers"
blueprint = Blueprint("people", __name__, url_prefix="/people", template_folder="templates")


def _scope(permission: str = "people.view") -> Scope:
    return scope_of(me(), permission)


def _list() -> dict[str, Any]:
    """What :func:`show_list` and :func:`change_list` want."""
    return {
        "template": "lists/page.html",
        "listing": PEOPLE,
        "scope": _scope(),
        "frame": Frame(
            index=url_for("people.index"),
            change=url_for("people.view"),
            link=lambda line: url_for("people.show", person_id=line.id),
            exported_as={"list": PEOPLE.code},
            empty=(_("Nobody is on file yet"), _("People come on file when a program imports its lists.")),
        ),
    }


@blueprint.get("")
@needs("people.view")
def index() -> Shown:
    """The people whom the user may see."""
    return show_list(**_list())


@blueprint.post("/view")
@needs("people.view")
def view() -> Shown | Response:
    """What the reader chooses for the list: columns, saved filters, one person by number."""
    return change_list(**_list())


def _person(
    person_id: int,
    form: IdNumberForm | None = None,
    status: int = 200,
    *,
    correction: CorrectionForm | None = None,
    in_full: Sequence[tuple[str, str]] = (),
    asking: PurposeForm | None = None,
) -> tuple[str, int]:
    person = found(by_id(_scope(), person_id))
    into = by_id(_scope(), person.merged_into) if person.merged_into else None
    may_edit = _scope(EDIT).includes(person.org_path)
    may_see_data = not person.merged_into and _scope(DATA).includes(person.org_path)
    page = render_template(
        "people/show.html",
        person=person,
        into=into,
        form=form or IdNumberForm(),
        correction=correction or CorrectionForm(),
        in_full=in_full,
        asking=asking or PurposeForm(),
        looks=looks_at(_scope(DATA), person_id, [SHOWN]) if may_see_data else (),
        purpose_title=purpose_title,
        may_merge=may_edit and person.active,
        may_correct=may_edit and not person.merged_into and not person.erased,
        may_see_data=may_see_data,
        may_audit=_scope("audit.view").includes(person.org_path),
        may_see_numbers=not person.erased and _scope(NUMBERS).includes(person.org_path),
    )
    return page, status


@blueprint.get("/<int:person_id>")
@needs("people.view")
def show(person_id: int) -> tuple[str, int]:
    """One person, numbers masked; that somebody looked is on record."""
    show_file(me(), _scope(), person_id)
    return _person(person_id)


@blueprint.post("/<int:person_id>/numbers")
@needs(NUMBERS)
def numbers(person_id: int) -> tuple[str, int]:
    """The same page with the numbers in full; that somebody looked is on record."""
    found(by_id(_scope(), person_id))
    form = PurposeForm(request.form)
    if not form.validate():
        return _person(person_id, status=400, asking=form)
    try:
        shown = show_numbers(me(), _scope(NUMBERS), person_id, form.asked())
    except ZhijiaError as error:
        form.refuse(error)
        return _person(person_id, status=error.status, asking=form)
    return _person(person_id, in_full=shown)


@blueprint.post("/<int:person_id>/correct")
@needs(EDIT)
def correct(person_id: int) -> Response | tuple[str, int]:
    """Keep another phone or bank account."""
    form, status = CorrectionForm(request.form), 400
    if form.validate():
        try:
            wanted = Correction(**{name: said for name, said in form.data.items() if said})
            correct_person(me(), _scope(EDIT), person_id, request.form.get("version", ""), wanted)
            flash(_("The correction is kept."), "success")
            return redirect(url_for("people.show", person_id=person_id))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _person(person_id, status=status, correction=form)


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
    """What asks to see everything that is kept about a person."""
    return _data_page(person_id, SignedForm())


@blueprint.post("/<int:person_id>/data")
@needs(DATA)
def show_all(person_id: int) -> str | tuple[str, int]:
    """Everything that is kept about a person; that somebody looked is on record."""
    form, status = SignedForm(request.form), 400
    found(by_id(_scope(DATA), person_id))
    if form.validate():
        try:
            prove(form)
            return _data_page(person_id, form, show_data(me(), _scope(DATA), person_id))
        except Refused as error:
            form.refuse(error)
            status = error.status
    return _data_page(person_id, form), status


def _data_page(person_id: int, form: SignedForm, records: Sequence[PersonalRecord] = ()) -> str:
    person = found(by_id(_scope(DATA), person_id))
    return render_template("people/data.html", person=person, form=form, records=records)
