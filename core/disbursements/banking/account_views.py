"""The page of a union's bank account, for who makes runs there; the number is masked once it is kept."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.disbursements.banking.accounts import PERMISSION, account_of, keep_account
from core.disbursements.banking.forms import AccountForm
from core.errors import ZhijiaError
from core.org.models import Org
from core.org.queries import visible
from core.users.access import scope_of
from core.web.guard import found, me, needs

blueprint = Blueprint("accounts", __name__, url_prefix="/orgs/<code>/account", template_folder="../templates")
Page = str | Response | tuple[str, int]


@blueprint.get("")
@needs(PERMISSION)
def show(code: str) -> str:
    """The account that is kept, and the form for another."""
    return _page(_org(code), AccountForm())


@blueprint.post("")
@needs(PERMISSION)
def keep(code: str) -> Page:
    """Keep another account."""
    org, form = _org(code), AccountForm(request.form)
    status = 400
    if form.validate():
        try:
            keep_account(me(), org, form.bank_account.data or "", form.bank_name.data or "")
            flash(_("The account is kept."), "success")
            return redirect(url_for(".show", code=code))
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
    return _page(org, form), status


def _org(code: str) -> Org:
    return found(visible(scope_of(me(), PERMISSION), code))


def _page(org: Org, form: AccountForm) -> str:
    return render_template("banking/account.html", org=org, account=account_of(org), form=form)
