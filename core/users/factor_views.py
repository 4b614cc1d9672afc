"""The pages of one's own second factor: enrolling, other recovery codes, removing it."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.users import second_factor
from core.users.forms import CodeForm
from core.users.views import keep_token
from core.web.forms import SignedForm
from core.web.guard import SESSION, me, my_session, open_while_due, prove

blueprint = Blueprint("second_factor", __name__, url_prefix="/account/second-factor", template_folder="templates")
Page = str | Response | tuple[str, int]


@blueprint.get("")
@open_while_due
def show() -> str:
    """The code to scan, or what can be done with the factor that there is."""
    return _page(CodeForm(), SignedForm())


@blueprint.post("")
@open_while_due
def enrol() -> Page:
    """Enrol; the recovery codes are shown now and never again."""
    form, status = CodeForm(request.form), 400
    if form.validate():
        secret = second_factor.offered_secret(session[SESSION])
        try:
            codes, token = second_factor.enrol(me(), my_session().session, secret, form.code.data or "")
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            keep_token(token)
            return _codes_page(codes)
    return _page(form, SignedForm()), status


@blueprint.post("/codes")
def codes() -> Page:
    """Other recovery codes."""
    form, status = SignedForm(request.form), 400
    if form.validate():
        try:
            prove(form)
            return _codes_page(second_factor.renew_codes(me()))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _page(CodeForm(), form), status


@blueprint.post("/remove")
def remove() -> Page:
    """Remove it, as for another device."""
    form, status = SignedForm(request.form), 400
    if form.validate():
        try:
            prove(form)
            keep_token(second_factor.remove(me(), my_session().session))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("Your second factor was removed. All other sessions have ended."), "success")
            return redirect(url_for(".show"))
    return _page(CodeForm(), form), status


def _page(form: CodeForm, signed: SignedForm) -> str:
    secret = second_factor.offered_secret(session[SESSION])
    return render_template(
        "users/second_factor.html",
        form=form,
        signed=signed,
        factor=second_factor.factor_of(me()),
        is_required=second_factor.is_required(me()),
        secret=" ".join(secret[start : start + 4] for start in range(0, len(secret), 4)),
        picture=second_factor.qr_code(second_factor.provisioning(me(), secret)),
    )


def _codes_page(codes: list[str]) -> str:
    return render_template("users/recovery_codes.html", codes=codes)
