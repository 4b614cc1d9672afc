"""Where flows show up: a part of the page of an entry, the bar of a list, and the home page."""

from typing import Any

from flask import Flask, url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from core.flows.queries import Pending, waiting
from core.flows.views import batch_steps, blueprint, flow_panel
from core.programs.queries import sponsor_code, title_of
from core.registers.parts import provide_batch_action, provide_record_part
from core.registers.states import state_title
from core.users.models import User
from core.web.home import WaitingItem, provide_waiting


def init_app(app: Flask) -> None:
    """Mount the pages, and what other pages show of flows."""
    app.register_blueprint(blueprint)
    provide_record_part(app, flow_panel)
    provide_batch_action(app, batch_steps)
    provide_waiting(app, waiting_entries)


def waiting_entries(user: User) -> list[WaitingItem]:
    """The entries that wait for the user, by register and state."""
    return [_item(pending) for pending in waiting(user)]


def _item(pending: Pending) -> WaitingItem:
    register, program_year = pending.register, pending.program_year
    state = state_title(register.flow, pending.state) if register.flow else pending.state
    narrowed: dict[str, Any] = {"f-state": pending.state}  # the filter of the list
    url = url_for(
        "registers.index",
        year=program_year.year,
        sponsor=sponsor_code(program_year),
        program=program_year.program,
        name=register.name,
        **narrowed,
    )
    return WaitingItem(
        title=_("%(register)s: %(state)s", register=register.title, state=state),
        url=url,
        count=pending.count,
        since=pending.since,
        due_on=pending.oldest_due,
        where=f"{program_year.year} {title_of(program_year, str(get_locale()))}",
    )
