"""The pages of what is kept about people and for how long: erasing, consents, who is due, and the settings."""

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.org.queries import root_path
from core.people.personal import erase
from core.people.queries import PersonView, by_id
from core.privacy import consents
from core.privacy.forms import ConsentForm, EraseForm, RuleForm
from core.privacy.queries import rule_of
from core.privacy.retention import DATA, PAGE, due
from core.privacy.rules import PERMISSION, keep_rule, rules
from core.users.access import scope_of, today
from core.web.forms import options
from core.web.guard import found, me, needs, prove

blueprint = Blueprint("privacy", __name__, template_folder="templates")
Page = str | Response | tuple[str, int]
RULE = ("first_year", "shown_a_day", "import_days", "export_days", "message_days", "quiet_years")


def _person(person_id: int, permission: str) -> PersonView:
    return found(by_id(scope_of(me(), permission), person_id))


@blueprint.get("/people/<int:person_id>/erase")
@needs(DATA)
def ask_erase(person_id: int) -> str:
    """What would be erased, and the form that does it."""
    return _erase_page(person_id, EraseForm())


@blueprint.post("/people/<int:person_id>/erase")
@needs(DATA)
def erase_person(person_id: int) -> Page:
    """Erase a person; then what was erased, and what stays."""
    person, form = _person(person_id, DATA), EraseForm(request.form)
    if not form.validate():
        return _erase_page(person_id, form), 400
    try:
        prove(form)
        records = erase(me(), scope_of(me(), DATA), person_id, form.reason.data or "")
    except ZhijiaError as error:
        form.refuse(error)
        return _erase_page(person_id, form), error.status
    return render_template("privacy/erased.html", person=person, records=records)


def _erase_page(person_id: int, form: EraseForm) -> str:
    return render_template("privacy/erase.html", person=_person(person_id, DATA), form=form)


@blueprint.get("/people/<int:person_id>/consents")
@needs("people.view")
def consent_index(person_id: int) -> str:
    """What the person agreed to."""
    return _consent_page(person_id, ConsentForm())


@blueprint.post("/people/<int:person_id>/consents")
@needs(consents.EDIT)
def give(person_id: int) -> Page:
    """Record a consent."""
    _person(person_id, consents.EDIT)
    form = _offered(ConsentForm(request.form))
    status = 400
    if form.validate():
        try:
            given_on = form.given_on.data or today()
            consents.give(me(), person_id, form.processing.data, given_on, form.evidence.data or "")
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The consent is on record."), "success")
            return redirect(url_for(".consent_index", person_id=person_id))
    return _consent_page(person_id, form), status


@blueprint.post("/people/<int:person_id>/consents/<int:consent_id>/withdraw")
@needs(consents.EDIT)
def withdraw(person_id: int, consent_id: int) -> Page:
    """Record that the person took a consent back."""
    _person(person_id, consents.EDIT)
    form = ConsentForm()
    try:
        consents.withdraw(me(), person_id, consent_id)
    except ZhijiaError as error:
        form.refuse(error)
        return _consent_page(person_id, form), error.status
    flash(_("The consent was withdrawn."), "success")
    return redirect(url_for(".consent_index", person_id=person_id))


def _offered(form: ConsentForm) -> ConsentForm:
    titles = {one.code: consents.title_of(one) for one in consents.processings()}
    form.processing.choices = options({"": "", **titles})
    return form


def _consent_page(person_id: int, form: ConsentForm) -> str:
    person = _person(person_id, "people.view")
    may_edit = scope_of(me(), consents.EDIT).includes(person.org_path) and not (person.erased or person.merged_into)
    return render_template(
        "privacy/consents.html",
        person=person,
        form=_offered(form),
        given=consents.consents_of(person_id),
        title_of=consents.title_of,
        may_edit=may_edit,
    )


@blueprint.get("/people/due")
@needs(DATA)
def due_people() -> str:
    """Who is due for erasing, and which consents are missing."""
    scope = scope_of(me(), DATA)
    return render_template(
        "privacy/due.html", rows=due(scope), page=PAGE, rule=rule_of(), missing=consents.missing(scope)
    )


@blueprint.get("/admin/privacy")
@needs(PERMISSION)
def rule_index() -> str:
    """What holds now and later."""
    now = rule_of()
    kept: dict[str, Any] = {name: getattr(now, name) for name in RULE}
    return _rule_page(RuleForm(data=kept | {"first_year": today().year}))


@blueprint.post("/admin/privacy")
@needs(PERMISSION)
def keep() -> Page:
    """Keep what holds from a year on."""
    form, status = RuleForm(request.form), 400
    if form.validate():
        try:
            keep_rule(me(), root_path() or "/", {name: form[name].data for name in RULE})
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The settings are kept."), "success")
            return redirect(url_for(".rule_index"))
    return _rule_page(form), status


def _rule_page(form: RuleForm) -> str:
    return render_template("privacy/rules.html", form=form, rules=rules(), names=RULE)
