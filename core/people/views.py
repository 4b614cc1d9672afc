"""The pages of the people on file."""

from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.org.queries import visible
from core.org.scope import Scope
from core.people.forms import IdNumberForm
from core.people.numbers import parse_id_number
from core.people.queries import by_id, by_id_number, page_of_people
from core.users.access import scope_of
from core.web.guard import found, me, needs

blueprint = Blueprint("people", __name__, url_prefix="/people", template_folder="templates")


def _scope() -> Scope:
    return scope_of(me(), "people.view")


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


@blueprint.get("/<int:person_id>")
@needs("people.view")
def show(person_id: int) -> str:
    """One person, numbers masked."""
    return render_template("people/show.html", person=found(by_id(_scope(), person_id)))
