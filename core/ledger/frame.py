"""The ledgers within a program year: its budget, as a tab of its own."""

import secrets

from flask import Blueprint, Flask, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from core.errors import NotFound, ZhijiaError
from core.exports.sources import Source, provide_source
from core.ledger import activity_views as activity_views
from core.ledger.forms import OwnFundsForm
from core.ledger.listing import ACTIVITIES, activities_of
from core.ledger.queries import BudgetRow, bookings_of, budgets_of, find_template
from core.ledger.scope import VIEW, book_scope
from core.ledger.services import fund_from_own
from core.ledger.views import blueprint
from core.org.models import Org
from core.org.queries import visible
from core.plugin.gate import current_program_year
from core.programs.frame import YearTab, provide_tab
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.users.access import can_anywhere, scope_of, today
from core.users.models import User
from core.web.guard import me, needs

ALLOT = "ledger.allot"
budget_blueprint = Blueprint(
    "budget", __name__, url_prefix="/<int:year>/<sponsor>/<program>/budget", template_folder="templates"
)


@budget_blueprint.get("/")
@needs(VIEW)
def index() -> str:
    """What each union may spend, what is held and spent, and where the money came from."""
    # The key of the form is made with the page, so that a form that is sent twice books once.
    return _page(OwnFundsForm(data={"key": secrets.token_hex(16), "effective_on": today()}))


@budget_blueprint.post("/own-funds")
@needs(ALLOT)
def own_funds() -> Response | tuple[str, int]:
    """Book what a union gives from its own funds."""
    form, status = OwnFundsForm(request.form), 400
    if form.validate():
        try:
            org = _receiver(form.org_code.data or "")
            fund_from_own(
                me(), current_program_year(), key=f"page:{form.key.data}", amounts={org.id: form.amount.data or 0},
                effective_on=form.day, description=form.description.data or "",
            )  # fmt: skip
        except ZhijiaError as error:
            form.refuse(error)
            status = error.status
        else:
            flash(_("The own funds of %(org)s are booked.", org=org.name), "success")
            return redirect(url_for("budget.index"))
    return _page(form), status


def _page(form: OwnFundsForm) -> str:
    program_year = current_program_year()
    scope = scope_of(me(), VIEW, program_year.program)
    rows = budgets_of(program_year, scope)
    may_book = state_of(program_year) == "open" and scope_of(me(), ALLOT, program_year.program).paths
    return render_template(
        "ledger/budget.html",
        rows=rows,
        totals=totals_of(rows),
        bookings=bookings_of(program_year, scope),
        form=form if may_book else None,
    )


def _receiver(code: str) -> Org:
    """The union with this code, where the user allots money and the program's sponsor has it below."""
    program_year = current_program_year()
    org = visible(scope_of(me(), ALLOT, program_year.program), code)
    if org is None or not org.path.startswith(program_year.org_path):
        raise NotFound(_("The sponsor has no union with this code for which you may book."), field="org_code")
    return org


def totals_of(rows: list[BudgetRow]) -> dict[str, int]:
    """The sums of the columns in fen; ``funds`` counts money once that was passed down from one line to another."""
    names = ("allotted_fen", "passed_down_fen", "held_fen", "spent_fen", "free_fen")
    sums = {name: sum(getattr(row, name) for row in rows) for name in names}
    return sums | {"funds_fen": sums["allotted_fen"] - sums["passed_down_fen"]}


def init_app(app: Flask) -> None:
    """Mount the pages of both books, and the tab."""
    app.register_blueprint(blueprint)
    app.register_blueprint(budget_blueprint)
    provide_tab(app, YearTab(title=_l("Budget"), endpoint="budget.index", permission=VIEW))
    provide_source(app, work_ledger)


def work_ledger(user: User, code: str, _program_year: ProgramYear | None) -> Source | None:
    """The work ledger in the columns of one form, as the user may read it, for an export."""
    if not code.startswith(ACTIVITIES) or not can_anywhere(user, VIEW):
        return None
    template, scope = find_template(code.removeprefix(ACTIVITIES)), book_scope(user)
    return Source(listing=activities_of(template, scope), scope=scope.anywhere, title=template.title["zh"])
