"""The pages of a union's bank statements, for who posts runs there."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from core.disbursements.banking import statements
from core.disbursements.banking.forms import StatementForm
from core.errors import ZhijiaError
from core.org.models import Org
from core.org.queries import visible
from core.users.access import scope_of
from core.web.guard import found, me, needs
from core.web.sending import sent_file

blueprint = Blueprint("statements", __name__, url_prefix="/orgs/<code>/statements", template_folder="../templates")
Page = str | Response | tuple[str, int]


@blueprint.get("")
@needs(statements.PERMISSION)
def index(code: str) -> str:
    """The statements of a union, and its bank files that none of them shows."""
    return _index_page(_org(code), StatementForm())


@blueprint.post("")
@needs(statements.PERMISSION)
def upload(code: str) -> Page:
    """Take a statement."""
    org, form = _org(code), StatementForm()
    try:
        with sent_file() as (content, name):
            one = statements.upload(me(), org, content, name)
    except ZhijiaError as error:
        error.field = "file"
        form.refuse(error)
        return _index_page(org, form), error.status
    return redirect(url_for(".show", code=code, statement_id=one.id))


@blueprint.get("/<int:statement_id>")
@needs(statements.PERMISSION)
def show(code: str, statement_id: int) -> str:
    """One statement beside the bank files: what is matched, and what is not, on both sides."""
    return _page(_org(code), statement_id)


@blueprint.post("/<int:statement_id>/<int:line>")
@needs(statements.PERMISSION)
def match(code: str, statement_id: int, line: int) -> Page:
    """Match a line by hand, or (without a bank file) undo it."""
    org, run_id = _org(code), request.form.get("run_id", 0, type=int)
    try:
        if run_id:
            statements.match(me(), org, statement_id, line, run_id)
        else:
            statements.undo(me(), org, statement_id, line)
    except ZhijiaError as error:
        return _page(_org(code), statement_id, str(error)), error.status
    flash(_("The line is matched.") if run_id else _("The match is undone."), "success")
    return redirect(url_for(".show", code=code, statement_id=statement_id))


def _org(code: str) -> Org:
    return found(visible(scope_of(me(), statements.PERMISSION), code))


def _index_page(org: Org, form: StatementForm) -> str:
    return render_template(
        "banking/statements.html",
        org=org,
        form=form,
        statements=statements.statements_of(org),
        files=statements.open_files(org),
    )


def _page(org: Org, statement_id: int, refused: str = "") -> str:
    return render_template(
        "banking/statement.html",
        org=org,
        statement_id=statement_id,
        lines=statements.lines_of(org, statement_id),
        files=statements.open_files(org),
        refused=refused,
    )
