"""The ledgers within a program year: its budget, as a tab of its own."""

from flask import Blueprint, Flask, render_template
from flask_babel import lazy_gettext as _l

from core.ledger import activity_views as activity_views
from core.ledger.queries import BudgetRow, bookings_of, budgets_of
from core.ledger.scope import VIEW
from core.ledger.views import blueprint
from core.plugin.gate import current_program_year
from core.programs.frame import YearTab, provide_tab
from core.users.access import scope_of
from core.web.guard import me, needs

budget_blueprint = Blueprint(
    "budget", __name__, url_prefix="/<int:year>/<sponsor>/<program>/budget", template_folder="templates"
)


@budget_blueprint.get("/")
@needs(VIEW)
def index() -> str:
    """What each union may spend, what is held and spent, and where the money came from."""
    program_year = current_program_year()
    scope = scope_of(me(), VIEW, program_year.program)
    rows = budgets_of(program_year, scope)
    return render_template(
        "ledger/budget.html", rows=rows, totals=totals_of(rows), bookings=bookings_of(program_year, scope)
    )


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
