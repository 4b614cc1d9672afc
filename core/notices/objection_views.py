"""The page of one line of a notice: record an objection to it, decide on one. Below the address of the notice.

What was objected, and by whom, is for those who record objections or decide on them where the entry stands.
"""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.notices import queries, services
from core.notices.forms import DecisionForm, ObjectionForm
from core.notices.models import Notice, NoticeLine, Objection, state_of_notice
from core.notices.views import Page, current_notice, reader_scope, register_title
from core.plugin.gate import current_program_year
from core.programs.queries import state_of
from core.users.access import can, refuse, require, today
from core.web.guard import found, me

blueprint = Blueprint(
    "objections",
    __name__,
    url_prefix="/<int:year>/<sponsor>/<program>/registers/<name>/notices/<int:notice_id>/lines/<int:line_id>",
    template_folder="templates",
)


@blueprint.route("/", methods=["GET", "POST"])
def index(name: str, notice_id: int, line_id: int) -> Page:
    """The line and the objections to it; a POST records another."""
    notice, line = _line(name, notice_id, line_id)
    if request.method == "GET":
        return _line_page(name, notice, line, ObjectionForm(data={"received_on": today()}))
    form = ObjectionForm(request.form)
    status = 400
    if form.validate() and form.received_on.data:
        try:
            services.object_to(
                me(), notice, line, text=form.text.data or "", raised_by=form.raised_by.data or "",
                contact=form.contact.data or "", received_on=form.received_on.data,
            )  # fmt: skip
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The objection is recorded; the entry is held back until it is decided."), "success")
            return _back(name, notice_id, line_id)
    return _line_page(name, notice, line, form), status


@blueprint.post("/objections/<int:objection_id>/decide")
def decide(name: str, notice_id: int, line_id: int, objection_id: int) -> Page:
    """Uphold an objection or not."""
    notice, line, objection = _objection(name, notice_id, line_id, objection_id)
    require(me(), "notice.decide", line.org_path, current_program_year().program)
    form = DecisionForm(request.form)
    status = 400
    if form.validate():
        try:
            upheld = form.upheld.data == "yes"
            services.decide(me(), notice, line, objection, upheld=upheld, reason=form.reason.data or "")
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The decision is recorded."), "success")
            return _back(name, notice_id, line_id)
    return _line_page(name, notice, line, decisions={objection_id: form}), status


@blueprint.post("/objections/<int:objection_id>/contact")
def contact(name: str, notice_id: int, line_id: int, objection_id: int) -> Page:
    """The phone number of whoever objects, in full; that somebody looked is on record."""
    notice, line, objection = _objection(name, notice_id, line_id, objection_id)
    number = services.show_contact(me(), notice, line, objection)
    return _line_page(name, notice, line, contacts={objection_id: number})


def _line(name: str, notice_id: int, line_id: int) -> tuple[Notice, NoticeLine]:
    notice, _org = current_notice(name, notice_id)
    line = found(queries.find_line(notice, line_id, reader_scope()))
    if not queries.handling_scope(me(), current_program_year().program).includes(line.org_path):
        refuse("notice.object")
    return notice, line


def _objection(name: str, notice_id: int, line_id: int, objection_id: int) -> tuple[Notice, NoticeLine, Objection]:
    notice, line = _line(name, notice_id, line_id)
    return notice, line, found(queries.find_objection(line, objection_id))


def _back(name: str, notice_id: int, line_id: int) -> Response:
    return redirect(url_for(".index", name=name, notice_id=notice_id, line_id=line_id))


def _line_page(
    name: str,
    notice: Notice,
    line: NoticeLine,
    form: ObjectionForm | None = None,
    decisions: dict[int, DecisionForm] | None = None,
    contacts: dict[int, str] | None = None,
) -> str:
    program_year, user = current_program_year(), me()
    is_open = state_of(program_year) == "open"
    may_decide = is_open and can(user, "notice.decide", line.org_path, program_year.program)
    state = state_of_notice(notice, today())
    return render_template(
        "notices/line.html",
        name=name,
        register_title=register_title(name),
        notice=notice,
        state=state,
        line=line,
        objections=[(one, _titled(one, (decisions or {}).get(one.id))) for one in queries.objections_to(line)],
        form=form or ObjectionForm(data={"received_on": today()}),
        may_object=is_open and state == "running" and can(user, "notice.object", line.org_path, program_year.program),
        may_decide=may_decide,
        is_own=lambda one: user.id in (one.recorded_by, notice.created_by),
        contacts=contacts or {},
    )


def _titled(objection: Objection, form: DecisionForm | None) -> DecisionForm:
    """A form with ids of its own, as the page can have several."""
    form = form or DecisionForm()
    for field in form:
        field.id = f"{field.short_name}-{objection.id}"
    return form
