"""The pages of the work ledger: its lines in the columns of a form, and writing one by hand."""

from secrets import token_urlsafe
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.ledger.forms import ActivityForm, activity_form, columns_of
from core.ledger.listing import ACTIVITIES, activities_of
from core.ledger.models import ActivityTemplate
from core.ledger.queries import find_activity, find_template, templates
from core.ledger.scope import VIEW, book_scope
from core.ledger.services import record_activity
from core.ledger.views import RECORD, blueprint, may_record, origin_of
from core.lists.types import Action, Line
from core.lists.views import Frame, Shown, change_list, show_list
from core.org.queries import visible
from core.programs.models import ProgramYear
from core.programs.queries import state_of, title_of, visible_to
from core.users.access import scope_of, today
from core.users.queries import org_by_id
from core.web.forms import options
from core.web.guard import me, needs


def _list() -> dict[str, Any]:
    """What :func:`show_list` and :func:`change_list` want."""
    scope, template = book_scope(me()), _template()
    return {
        "template": "ledger/activities.html",
        "listing": activities_of(template, scope),
        "scope": scope.anywhere,
        "frame": Frame(
            index=url_for(".activity_index"),
            change=url_for(".view_activities"),
            keep={"form": template.code},
            row_actions=_entry_of,
            exported_as={"list": f"{ACTIVITIES}{template.code}"},
            empty=(_("No line yet"), _("A posted run writes its lines here; a clerk can add others.")),
        ),
        "form": template,
        "forms": templates(),
        "may_record": may_record(),
    }


def _entry_of(line: Line) -> list[Action]:
    entry_id = line.values["entry_id"]
    entry = [Action(title=_("Entry"), url=url_for(".entry", entry_id=entry_id))] if entry_id else []
    return [Action(title=_("Show the line"), url=url_for(".activity", activity_id=line.id)), *entry]


@blueprint.get("/activities")
@needs(VIEW)
def activity_index() -> Shown:
    """The work ledger in the columns of one form, newest first."""
    return show_list(**_list())


@blueprint.get("/activities/<int:activity_id>")
@needs(VIEW)
def activity(activity_id: int) -> str:
    """One line of the work ledger, with the entry that it tells of."""
    told = find_activity(activity_id, book_scope(me()))
    locale = str(get_locale())
    said = [
        (column.get(locale) or column["zh"], told.activity.data[column["key"]])
        for column in told.template.columns
        if column["key"] in told.activity.data
    ]
    origin = origin_of(told.entry, told.program_year) if told.entry else None
    return render_template("ledger/activity.html", told=told, said=said, origin=origin)


@blueprint.post("/activities/view")
@needs(VIEW)
def view_activities() -> Shown | Response:
    """What the reader chooses for the list: columns, saved filters."""
    return change_list(**_list())


@blueprint.get("/activities/new")
@needs(RECORD)
def new_activity() -> str:
    """The form for a line, with the columns of the form chosen."""
    template = _template()
    org = org_by_id(me().org_id)
    data = {"key": token_urlsafe(16), "org_code": org.code if org else "", "held_on": today()}
    return _form_page(template, _with_years(activity_form(template)(data=data)))


@blueprint.post("/activities/new")
@needs(RECORD)
def create_activity() -> Response | tuple[str, int]:
    """Write the line."""
    template = _template()
    form = _with_years(activity_form(template)(request.form))
    status = 400
    if form.validate():
        try:
            _record(template, form)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The line is in the work ledger."), "success")
            return redirect(url_for(".activity_index", form=template.code))
    return _form_page(template, form), status


def _record(template: ActivityTemplate, form: ActivityForm) -> None:
    number = form.program_year.data
    program_year = next((year for year in _open_years() if str(year.id) == number), None)
    code = form.org_code.data or ""
    org = visible(scope_of(me(), RECORD, program_year.program if program_year else None), code)
    if org is None:
        raise ZhijiaError(_("There is no organisation with the code “%(code)s” here.", code=code), field="org_code")
    record_activity(
        me(),
        template,
        org,
        program_year=program_year,
        held_on=form.held_on.data or today(),
        data=columns_of(form),
        key=form.key.data or "",
    )


def _template() -> ActivityTemplate:
    code = request.args.get("form")
    return find_template(code) if code else templates()[0]


def _open_years() -> list[ProgramYear]:
    return [year for year, _sponsor in visible_to(me()) if state_of(year) == "open"]


def _with_years(form: ActivityForm) -> ActivityForm:
    locale = str(get_locale())
    years = {str(year.id): f"{year.year} · {title_of(year, locale)}" for year in _open_years()}
    form.program_year.choices = options({"": _("No program")} | years)
    return form


def _form_page(template: ActivityTemplate, form: ActivityForm) -> str:
    return render_template("ledger/new_activity.html", template=template, templates=templates(), form=form)
