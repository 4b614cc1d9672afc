"""Logging in and out, the language, one's own account."""

from urllib.parse import urlsplit

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from werkzeug.wrappers import Response

from core.errors import Refused, ZhijiaError
from core.users.forms import LoginForm, MailForm, PasswordForm
from core.users.login import log_in
from core.users.models import User
from core.users.queries import grants_with_orgs
from core.users.roles import ROLES
from core.users.services import LANGUAGES, change_own_password, choose_language, set_mail
from core.web.guard import me, public
from core.web.locale import KEY as LANGUAGE_KEY

blueprint = Blueprint("users", __name__, template_folder="templates")


def is_own_address(target: str) -> bool:
    """Whether ``target`` is a path of this site, so that a link cannot lead a user away after login."""
    parts = urlsplit(target)
    plain = target.isprintable() and "\\" not in target
    return plain and target.startswith("/") and not target.startswith("//") and not (parts.scheme or parts.netloc)


def _next() -> str:
    target = request.values.get("next", "")
    return target if is_own_address(target) else url_for("home.index")


def _open_session(user: User) -> None:
    """Begin a session with nothing of the one before it, which somebody else may have planted."""
    session.clear()
    session.permanent = True
    session[LANGUAGE_KEY] = user.locale
    login_user(user)


@blueprint.get("/login")
@public
def login() -> str | Response:
    """The login page."""
    if current_user.is_authenticated:
        return redirect(_next())
    return render_template("users/login.html", form=LoginForm(), next=request.args.get("next", ""))


@blueprint.post("/login")
@public
def enter() -> Response | tuple[str, int]:
    """Try to log in."""
    form = LoginForm(request.form)
    status = 400
    if form.validate():
        try:
            user = log_in(form.username.data or "", form.password.data or "", request.remote_addr or "")
        except Refused as error:
            form.refuse(error)
            status = error.status
        else:
            _open_session(user)
            return redirect(_next())
    return render_template("users/login.html", form=form, next=request.form.get("next", "")), status


@blueprint.post("/logout")
@public
def leave() -> Response:
    """Log out."""
    language = session.get(LANGUAGE_KEY)
    logout_user()
    session.clear()
    session[LANGUAGE_KEY] = language
    return redirect(url_for("users.login"))


@blueprint.post("/language")
@public
def language() -> Response:
    """Switch the language, for good when logged in, else for this session."""
    chosen = request.form.get("language", "")
    if current_user.is_authenticated:
        choose_language(me(), chosen)
    if chosen in LANGUAGES:
        session[LANGUAGE_KEY] = chosen
    return redirect(_next())


@blueprint.get("/account")
def account() -> str:
    """One's own account: who one is and what one may do."""
    return _account_page(PasswordForm())


@blueprint.post("/account")
def change_password() -> Response | tuple[str, int]:
    """Change one's own password."""
    form = PasswordForm(request.form)
    status = 400
    if form.validate():
        user = me()
        try:
            change_own_password(user, form.current.data or "", form.password.data or "")
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            _open_session(user)
            flash(_("Your password was changed. All other sessions have ended."), "success")
            return redirect(url_for(".account"))
    return _account_page(form), status


@blueprint.post("/account/mail")
def mail() -> Response | tuple[str, int]:
    """Choose where and when e-mails come."""
    form = MailForm(request.form)
    if not form.validate():
        return _account_page(PasswordForm(), form), 400
    set_mail(me(), me(), form.email.data or "", form.mailing.data)
    flash(_("Your choice is kept."), "success")
    return redirect(url_for(".account"))


def _account_page(form: PasswordForm, mail_form: MailForm | None = None) -> str:
    return render_template(
        "users/account.html",
        form=form,
        mail_form=mail_form or MailForm(obj=me()),
        grants=grants_with_orgs(me()),
        roles=ROLES,
    )
