"""Managing users: list, add, roles, closing accounts."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.errors import ZhijiaError
from core.org.models import Org
from core.org.queries import by_code
from core.plugin.registry import registry_of
from core.users import services
from core.users.access import scope_of
from core.users.forms import GrantForm, MailForm, UserForm
from core.users.models import User
from core.users.passwords import random_password
from core.users.queries import grants_with_orgs, in_scope, org_by_id, page_of_users
from core.users.roles import ROLES
from core.web.guard import found, me, needs

PERMISSION = "user.manage"
blueprint = Blueprint("users_admin", __name__, url_prefix="/admin/users", template_folder="templates")


@blueprint.get("/")
@needs(PERMISSION)
def index() -> str:
    """The users of the orgs that I manage."""
    search = request.args.get("search", "").strip()
    rows, after = page_of_users(scope_of(me(), PERMISSION), search=search, after=request.args.get("after", ""))
    return render_template("users/index.html", rows=rows, after=after, search=search)


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
def password(user_id: int) -> Response:
    """Give a new password, shown once."""
    user = _user(user_id)
    _tell(user, services.reset_password(me(), user))
    return redirect(url_for(".show", user_id=user_id))


@blueprint.post("/<int:user_id>/mail")
@needs(PERMISSION)
def mail(user_id: int) -> Response | tuple[str, int]:
    """Say where and when e-mails go to the user."""
    user, form = _user(user_id), MailForm(request.form)
    if not form.validate():
        return _user_page(user, _grant_form(), form), 400
    services.set_mail(me(), user, form.email.data or "", form.mailing.data)
    flash(_("The choice is kept."), "success")
    return redirect(url_for(".show", user_id=user_id))


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


def _user_page(user: User, form: GrantForm, mail_form: MailForm | None = None) -> str:
    return render_template(
        "users/show.html",
        user=user,
        org=org_by_id(user.org_id),
        grants=grants_with_orgs(user),
        roles=ROLES,
        form=form,
        mail_form=mail_form or MailForm(obj=user),
    )
