"""What the ledgers add to the application: the pages of both books, and the budget as a tab of every program year."""

from flask import Flask
from flask_babel import lazy_gettext as _l

from core.exports.sources import Source, provide_source
from core.ledger import activity_views as activity_views
from core.ledger import allot_views as allot_views
from core.ledger import period_views as period_views
from core.ledger import statement_views as statement_views
from core.ledger.budget_views import budget_blueprint
from core.ledger.income import income_report
from core.ledger.levels import levels_report
from core.ledger.listing import ACTIVITIES, activities_of
from core.ledger.queries import find_template
from core.ledger.scope import VIEW, book_scope
from core.ledger.views import blueprint
from core.programs.frame import YearTab, provide_tab
from core.programs.models import ProgramYear
from core.reports.provided import provide_report
from core.users.access import can_anywhere
from core.users.models import User


def init_app(app: Flask) -> None:
    """Mount the pages of both books, and the tab."""
    app.register_blueprint(blueprint)
    app.register_blueprint(budget_blueprint)
    provide_tab(app, YearTab(title=_l("Budget"), endpoint="budget.index", permission=VIEW))
    provide_source(app, work_ledger)
    provide_report(app, levels_report)
    provide_report(app, income_report)


def work_ledger(user: User, code: str, _program_year: ProgramYear | None) -> Source | None:
    """The work ledger in the columns of one form, as the user may read it, for an export."""
    if not code.startswith(ACTIVITIES) or not can_anywhere(user, VIEW):
        return None
    template, scope = find_template(code.removeprefix(ACTIVITIES)), book_scope(user)
    return Source(listing=activities_of(template, scope), scope=scope.anywhere, title=template.title["zh"])
