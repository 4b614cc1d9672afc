"""The rows of a register that a batch action is asked to work on."""

from flask import request
from flask_babel import gettext as _
from sqlalchemy import Select

from core.errors import NotFound, ZhijiaError
from core.org.queries import visible
from core.org.scope import Scope
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.forms import FilterForm
from core.registers.queries import Filters, rows_of

#: Rows that a page can choose one by one.
MOST_CHOSEN = 1000


def asked_filters(form: FilterForm, scope: Scope) -> Filters:
    """What a list is to be narrowed down to. Raises :class:`NotFound` for a union that is not in the scope."""
    code = form.org.data or ""
    org = visible(scope, code) if code else None
    if code and org is None:
        sentence = _("There is no organisation with the code “%(code)s” here.", code=code)
        raise NotFound(sentence, field="org")
    return Filters(org, form.text.data or "")


def chosen_rows(register: Register, program_year: ProgramYear, scope: Scope) -> Select[int]:
    """The ids that were sent as ``row``, or with ``all=1`` those that fit the filter in the address; in the scope.

    Raises :class:`ZhijiaError` when nothing was chosen.
    """
    rows = rows_of(register, program_year, scope, asked_filters(FilterForm(request.args), scope))
    if request.form.get("all"):
        return rows
    ids = [int(text) for text in request.form.getlist("row") if text.isdecimal() and len(text) < 19]
    if not ids or len(ids) > MOST_CHOSEN:
        raise ZhijiaError(_("Choose some rows of the list first."))
    return rows.where(register.model.id.in_(ids))
