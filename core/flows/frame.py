"""Where flows show up: a part of the page of an entry, the bar of a list, the home page, and that of supervisors."""

from typing import Any

from flask import Flask, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from core.flows.queries import Pending, lying_below, waiting
from core.flows.views import batch_steps, blueprint, flow_panel
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code, title_of
from core.registers.parts import provide_batch_action, provide_record_part
from core.registers.states import state_title
from core.tasks.backlog import Backlog, permission_titles, provide_backlog
from core.users.models import User
from core.web.home import WaitingItem, provide_waiting


def init_app(app: Flask) -> None:
    """Mount the pages, and what other pages show of flows."""
    app.register_blueprint(blueprint)
    provide_record_part(app, flow_panel)
    provide_batch_action(app, batch_steps)
    provide_waiting(app, waiting_entries)
    provide_backlog(app, backlog_entries)


def waiting_entries(user: User) -> list[WaitingItem]:
    """The entries that wait for the user, by register and state."""
    return [_item(pending) for pending in waiting(user)]


def backlog_entries(user: User, program: str, limit: int) -> list[Backlog]:
    """The entries that lie at unions which the user supervises, by register, state and union."""
    return [
        Backlog(
            title=_title(lying.register, lying.state),
            url=_list_of(lying.register, lying.program_year, {"f-state": lying.state, "org": lying.org.code}),
            union=lying.org.name,
            program_year=lying.program_year,
            overdue=lying.overdue,
            oldest_due=lying.oldest_due,
            stuck=lying.stuck,
            missing=permission_titles(lying.permissions) if lying.stuck else (),
        )
        for lying in lying_below(user, program, limit)
    ]


def _item(pending: Pending) -> WaitingItem:
    program_year = pending.program_year
    return WaitingItem(
        title=_title(pending.register, pending.state),
        url=_list_of(pending.register, program_year, {"f-state": pending.state}),
        count=pending.count,
        overdue=pending.overdue,
        since=pending.since,
        due_on=pending.oldest_due,
        where=f"{program_year.year} {title_of(program_year, str(get_locale()))}",
    )


def _title(register: Register, state: str) -> str:
    named = state_title(register.flow, state) if register.flow else state
    return str(_("%(register)s: %(state)s", register=register.title, state=named))


def _list_of(register: Register, program_year: ProgramYear, narrowed: dict[str, Any]) -> str:
    """The list of the register, narrowed down by its filters."""
    return url_for(
        "registers.index",
        year=program_year.year,
        sponsor=sponsor_code(program_year),
        program=program_year.program,
        name=register.name,
        **narrowed,
    )
