"""Managing users: list, add, roles, closing accounts."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.lists.views import Frame, Shown, change_list, show_list
from core.org.models import Org
from core.org.queries import by_code
from core.plugin.registry import registry_of
from core.users import services
from core.users.access import can, scope_of
from core.users.forms import GrantForm, MailForm, UserForm
from core.users.listing import USERS
from core.users.models import User
from core.users.passwords import random_password
from core.users.queries import grants_with_orgs, in_scope, open_sessions, org_by_id
from core.users.roles import ROLES
from core.users.second_factor import factor_of
from core.web.forms import SignedForm
from core.web.guard import found, me, needs, prove

PERMISSION = "user.manage"
blueprint = Blueprint("users_admin", __name__, url_prefix="/admin/users", template_folder="templates")


def _list() -> dict[str, Any]:
    """What :func:`show_list` and :func:`change_list` want."""
    return {
        "template": "users/index.html",
        "listing": USERS,
        "scope": scope_of(me(), PERMISSION),
        "frame": Frame(
            index=url_for(".index"),
            change=url_for(".view"),
            link=lambda line: url_for(".show", user_id=line.id),
            exported_as={"list": USERS.code},
        ),
    }


@blueprint.get("/")
@needs(PERMISSION)
def index() -> Shown:
    """The users of the orgs that I manage."""
    return show_list(**_list())


@blueprint.post("/view")
@needs(PERMISSION)
def view() -> Shown | Response:
    """What the reader chooses for the list: columns, saved filters."""
    return change_list(**_list())


@blueprint.get("/new")
@needs(PERMISSION)
def new() -> str:
    """The form for a new user."""
    return render_template("users/new.html", form=_with_roles(UserForm()))


@blueprint.post("/new")
@needs(PERMISSION)
def create() -> Response | tuple[str, int]:
    """Make a user, with a first password that is shown once."""
    form = _with_roles(UserForm(request.form))
    if not form.validate():
        return render_template("users/new.html", form=form), 400
    password = random_password()
    try:
        prove(form)
        org = _org(form.org_code.data or "")
        grants = [services.GrantRequest(role=form.role.data, org=org)]
        user = services.create_user(me(), form.username.data or "", form.name.data or "", password, org, grants)
    except ZhijiaError as error:
        form.refuse(error)
        return render_template("users/new.html", form=form), error.status
    _tell(user, password)
    return redirect(url_for(".show", user_id=user.id))


@blueprint.get("/<int:user_id>")
@needs(PERMISSION)
def show(user_id: int) -> str:
    """One user: who, which roles, what can be done."""
    return _user_page(_user(user_id), _grant_form())


@blueprint.post("/<int:user_id>/grants")
@needs(PERMISSION)
def grant(user_id: int) -> Response | tuple[str, int]:
    """Give a role."""
    user, form = _user(user_id), _grant_form(filled=True)
    status = 400
    if form.validate():
        try:
            prove(form)
            wanted = services.GrantRequest(
                role=form.role.data,
                org=_org(form.org_code.data or ""),
                program=form.program.data or None,
                until=form.until.data,
            )
            services.give_grant(me(), user, wanted)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The role was given."), "success")
            return redirect(url_for(".show", user_id=user_id))
    return _user_page(user, form), status


@blueprint.post("/<int:user_id>/grants/<int:grant_id>/revoke")
@needs(PERMISSION)
def revoke(user_id: int, grant_id: int) -> Response:
    """Take a role away."""
    services.take_grant(me(), _user(user_id), grant_id)
    flash(_("The role was taken away."), "success")
    return redirect(url_for(".show", user_id=user_id))


@blueprint.post("/<int:user_id>/active")
@needs(PERMISSION)
def activate(user_id: int) -> Response:
    """Close an account, or open it again."""
    active = request.form.get("active") == "1"
    services.set_active(me(), _user(user_id), active)
    flash(_("The account is open again.") if active else _("The account was closed."), "success")
    return redirect(url_for(".show", user_id=user_id))


@blueprint.post("/<int:user_id>/password")
@needs(PERMISSION)
def password(user_id: int) -> Response | tuple[str, int]:
    """Give a new password, shown once."""
    return _signed(user_id, lambda user: _tell(user, services.reset_password(me(), user)))


@blueprint.post("/<int:user_id>/second-factor")
@needs(PERMISSION)
def reset_second_factor(user_id: int) -> Response | tuple[str, int]:
    """Take away the second factor of somebody who has lost their device."""

    def act(user: User) -> None:
        services.reset_second_factor(me(), user)
        flash(_("The second factor was removed; the user sets up another one at the next login."), "success")

    return _signed(user_id, act)


@blueprint.post("/<int:user_id>/sessions/end")
@needs(PERMISSION)
def end_sessions(user_id: int) -> Response:
    """End all sessions of a user."""
    count = services.end_sessions_of(me(), _user(user_id))
    flash(_("Sessions that were ended: %(count)s.", count=count), "success")
    return redirect(url_for(".show", user_id=user_id))


@blueprint.post("/<int:user_id>/mail")
@needs(PERMISSION)
def mail(user_id: int) -> Response | tuple[str, int]:
    """Say where and when e-mails go to the user."""
    user, form = _user(user_id), MailForm(request.form)
    if not form.validate():
        return _user_page(user, _grant_form(), mail_form=form), 400
    services.set_mail(me(), user, form.email.data or "", form.mailing.data)
    flash(_("The choice is kept."), "success")
    return redirect(url_for(".show", user_id=user_id))


def _signed(user_id: int, act: Callable[[User], None]) -> Response | tuple[str, int]:
    """Do what asks for one's own password first; a refusal is shown on the user's page."""
    user, form = _user(user_id), SignedForm(request.form)
    status = 400
    if form.validate():
        try:
            prove(form)
            act(user)
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            return redirect(url_for(".show", user_id=user_id))
    return _user_page(user, _grant_form(), signed=form), status


def _user(user_id: int) -> User:
    return found(in_scope(scope_of(me(), PERMISSION), user_id))


def _org(code: str) -> Org:
    org = by_code(code)
    # One that I do not manage looks the same as none.
    if org is None or not scope_of(me(), PERMISSION).includes(org.path):
        raise ZhijiaError(_("There is no organisation with the code “%(code)s” here.", code=code), field="org_code")
    return org


def _with_roles(form: UserForm) -> UserForm:
    form.role.choices = [(code, str(title)) for code, title in ROLES.items()]
    return form


def _grant_form(*, filled: bool = False) -> GrantForm:
    form = GrantForm(request.form if filled else None)
    form.role.choices = [(code, str(title)) for code, title in ROLES.items()]
    programs = [(code, str(program.title)) for code, program in registry_of().programs.items()]
    form.program.choices = [("", _("all programs")), *programs]
    return form


def _tell(user: User, password: str) -> None:
    flash(
        _("The password of %(name)s is %(password)s — it is shown only now.", name=user.username, password=password),
        "warning",
    )


def _user_page(
    user: User, form: GrantForm, *, mail_form: MailForm | None = None, signed: SignedForm | None = None
) -> str:
    signed = signed or SignedForm()
    for field in signed:  # the page has two forms with such fields
        field.id = f"own-{field.id}"
    return render_template(
        "users/show.html",
        user=user,
        org=org_by_id(user.org_id),
        grants=grants_with_orgs(user),
        roles=ROLES,
        form=form,
        mail_form=mail_form or MailForm(obj=user),
        may_audit=can(me(), "audit.view", user.org_path),
        signed=signed,
        sessions=open_sessions(user),
        factor=factor_of(user),
    )
