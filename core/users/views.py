"""Logging in and out, the language, one's own account."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response

from core.config import settings_of
from core.errors import Refused, ZhijiaError
from core.users.forms import CodeForm, LoginForm, MailForm, PasswordForm
from core.users.login import give_code as finish_login
from core.users.login import log_in
from core.users.models import User
from core.users.passwords import SHORTEST
from core.users.queries import grants_with_orgs, open_sessions
from core.users.roles import ROLES
from core.users.second_factor import factor_of
from core.users.services import LANGUAGES, change_own_password, choose_language, set_mail
from core.users.sessions import end_others, end_own, log_out
from core.wall import beyond_scope
from core.web.guard import SESSION, me, my_session, open_while_due, public, used_session
from core.web.locale import KEY as LANGUAGE_KEY
from core.web.ways import own_path

blueprint = Blueprint("users", __name__, template_folder="templates")


def _asked_for() -> str | None:
    return own_path(request.values.get("next", ""))


def _next() -> str:
    return _asked_for() or url_for("home.index")


def keep_token(token: str, user: User | None = None) -> None:
    """Keep the token of a session in the cookie; of a ``user`` who logs in, with nothing of what was there before,
    which somebody else may have planted.
    """
    if user is not None:
        session.clear()
        session[LANGUAGE_KEY] = user.locale
    session.permanent = True
    session[SESSION] = token


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
        agent, address = request.user_agent.string, request.remote_addr or ""
        try:
            with beyond_scope("users.login"):
                opened = log_in(form.username.data or "", form.password.data or "", address, agent)
                keep_token(opened.token, opened.user)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            return redirect(url_for(".code", next=_asked_for()) if opened.is_halfway else _next())
    return render_template("users/login.html", form=form, next=request.form.get("next", "")), status


@blueprint.get("/login/code")
@public
def code() -> str | Response:
    """The second step of those who have a second factor."""
    used = used_session()
    if used is None or not used.is_halfway:
        return redirect(_next() if used else url_for(".login", next=_asked_for()))
    return render_template("users/code.html", form=CodeForm(), next=request.args.get("next", ""))


@blueprint.post("/login/code")
@public
def give_code() -> Response | tuple[str, int]:
    """Try the code."""
    form, used = CodeForm(request.form), used_session()
    if used is None or not used.is_halfway:
        return redirect(_next() if used else url_for(".login", next=_asked_for()))
    status = 400
    if form.validate():
        try:
            with beyond_scope("users.login"):
                opened = finish_login(used, form.code.data or "", request.remote_addr or "")
                keep_token(opened.token, opened.user)
        except Refused as error:
            form.refuse(error)
            status = error.status
        else:
            return redirect(_next())
    return render_template("users/code.html", form=form, next=request.form.get("next", "")), status


@blueprint.post("/logout")
@public
def leave() -> Response:
    """Log out."""
    language = session.get(LANGUAGE_KEY)
    log_out(str(session.get(SESSION, "")))
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
@open_while_due
def account() -> str:
    """One's own account: who one is, what one may do, where one is logged in."""
    return _account_page(PasswordForm())


@blueprint.post("/account")
@open_while_due
def change_password() -> Response | tuple[str, int]:
    """Change one's own password."""
    form = PasswordForm(request.form)
    status = 400
    if form.validate():
        old, new, address = form.current.data or "", form.password.data or "", request.remote_addr or ""
        try:
            token = change_own_password(me(), old, new, address, my_session().session)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            keep_token(token)
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


@blueprint.post("/account/sessions/<int:session_id>/end")
def end_session(session_id: int) -> Response:
    """End another one of one's own sessions."""
    end_own(me(), session_id, my_session().session)
    flash(_("The session has ended."), "success")
    return redirect(url_for(".account"))


@blueprint.post("/account/sessions/end")
def end_sessions() -> Response:
    """End all of one's own sessions but this one."""
    count = end_others(me(), my_session().session)
    flash(_("Sessions that were ended: %(count)s.", count=count), "success")
    return redirect(url_for(".account"))


def _account_page(form: PasswordForm, mail_form: MailForm | None = None) -> str:
    return render_template(
        "users/account.html",
        form=form,
        mail_form=mail_form or MailForm(obj=me()),
        grants=grants_with_orgs(me()),
        roles=ROLES,
        sessions=open_sessions(me()),
        current=my_session().session.id,
        factor=factor_of(me()),
        offers_factor=settings_of().second_factor,
        shortest=SHORTEST,
    )
