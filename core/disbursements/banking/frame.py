"""Mounts the pages of banks, and says on the home page for which return files somebody waits."""

from datetime import UTC, datetime

from flask import Flask, url_for
from flask_babel import gettext as _
from sqlalchemy import ColumnElement

from core.config import LOCAL_ZONE
from core.disbursements.banking import account_views, statement_views
from core.disbursements.banking import views as views
from core.disbursements.models import Run
from core.disbursements.queries import waiting_for
from core.notices.calendar import add_working_days
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.access import scope_of, today
from core.users.models import User
from core.web.home import WaitingItem, provide_waiting

#: Working days in which a bank answers, where the settings of the year say nothing else.
RETURN_DAYS = 5


def init_app(app: Flask) -> None:
    """Mount the pages of accounts (those of runs are part of theirs) and what waits on the home page."""
    for part in (account_views, statement_views):
        app.register_blueprint(part.blueprint)
    provide_waiting(app, waiting_returns)


def waiting_returns(user: User) -> list[WaitingItem]:
    """Runs at the bank of which not everything is known, and lists not handed out, for those who post."""
    return [
        _item(
            run,
            program_year,
            _("Return file: %(title)s", title=run.title)
            if run.form == "bank"
            else _("Hand out: %(title)s", title=run.title),
        )
        for run, program_year in waiting_for(user, "run.post", lambda program: _not_known(user, program))
    ]


def _not_known(user: User, program: str) -> ColumnElement[bool]:
    """Runs within what the user posts whose end nobody has said yet."""
    at_bank = (Run.form == "bank") & (Run.state == "sent")
    by_hand = (Run.form != "bank") & (Run.state == "posted")
    return scope_of(user, "run.post", program).covers(Run.org_path) & (at_bank | by_hand)


def _item(run: Run, program_year: ProgramYear, title: str) -> WaitingItem:
    url = url_for(
        "runs.bank",
        year=program_year.year,
        sponsor=sponsor_code(program_year),
        program=program_year.program,
        run_id=run.id,
    )
    since = run.posted_at or datetime.now(UTC)
    days = program_year.settings.get("return_working_days")
    due_on = add_working_days(since.astimezone(LOCAL_ZONE).date(), RETURN_DAYS if days is None else int(days))
    return WaitingItem(title=title, url=url, since=since, due_on=due_on, overdue=int(due_on < today()))
