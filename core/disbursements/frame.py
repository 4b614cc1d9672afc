"""Where runs show up outside their own pages: the tab and the first page of a program year, and the home page."""

from flask import Flask, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement

from core.disbursements import lines as lines
from core.disbursements.approval_views import blueprint as rules_blueprint
from core.disbursements.approvals import APPROVE, awaits
from core.disbursements.models import Run
from core.disbursements.queries import runs_of, waiting_for
from core.disbursements.views import VIEW, blueprint
from core.programs.frame import YearTab, provide_panel, provide_tab
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.access import scope_of
from core.users.models import User
from core.web.home import Panel, WaitingItem, provide_waiting

#: How many runs the first page of a program year shows.
SHOWN = 5
POST = "run.post"


def init_app(app: Flask) -> None:
    """Mount the pages and register what other pages show of runs."""
    app.register_blueprint(blueprint)
    app.register_blueprint(rules_blueprint)
    provide_tab(app, YearTab(title=_l("Disbursement runs"), endpoint="runs.index", permission=VIEW))
    provide_panel(app, newest_runs)
    provide_waiting(app, waiting_runs)


def newest_runs(user: User, program_year: ProgramYear) -> Panel | None:
    """The newest runs on the first page of a program year."""
    runs = runs_of(program_year, scope_of(user, VIEW, program_year.program), limit=SHOWN)
    return Panel(template="disbursements/_runs.html", context={"runs": runs}) if runs else None


def waiting_runs(user: User) -> list[WaitingItem]:
    """Submitted runs for those who decide in their stage, approved ones for those who post; never one's own."""
    items = [
        _item(run, program_year, _("Approve: %(title)s", title=run.title))
        for run, program_year in waiting_for(user, APPROVE, lambda program: awaits(user, program))
    ]
    items += [
        _item(run, program_year, _("Post: %(title)s", title=run.title))
        for run, program_year in waiting_for(user, POST, lambda program: _to_be_posted(user, program))
    ]
    return items


def _to_be_posted(user: User, program: str) -> ColumnElement[bool]:
    mine = scope_of(user, POST, program).covers(Run.org_path)
    return (Run.state == "approved") & mine & (Run.created_by != user.id)


def _item(run: Run, program_year: ProgramYear, title: str) -> WaitingItem:
    url = url_for(
        "runs.show",
        year=program_year.year,
        sponsor=sponsor_code(program_year),
        program=program_year.program,
        run_id=run.id,
    )
    return WaitingItem(title=title, url=url, since=run.approved_at or run.submitted_at)
