"""Where notices show up: above and below the list of a register, on the page of an entry, and on the home page."""

from itertools import groupby
from typing import Any

from flask import Flask, url_for
from flask_babel import gettext as _

from core.notices import objection_views, views
from core.notices.models import state_of_notice
from core.notices.queries import handling_scope, lines_of_row, open_objections
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code, state_of
from core.registers.parts import (
    Action,
    BatchAction,
    provide_batch_action,
    provide_list_action,
    provide_record_part,
)
from core.users.access import can_anywhere, scope_of, today
from core.users.models import User
from core.web.home import Panel, WaitingItem, provide_waiting


def init_app(app: Flask) -> None:
    """Mount the pages, and register what other pages show of notices."""
    app.register_blueprint(views.blueprint)
    app.register_blueprint(objection_views.blueprint)
    provide_list_action(app, notices_link)
    provide_batch_action(app, post_chosen)
    provide_record_part(app, notices_panel)
    provide_waiting(app, waiting_objections)


def notices_link(_user: User, register: Register, _program_year: ProgramYear) -> list[Action]:
    """The way to the notices of the register."""
    return [Action(title=_("Public notices"), url=url_for("notices.index", name=register.name), icon="speakerphone")]


def post_chosen(user: User, register: Register, program_year: ProgramYear) -> list[BatchAction]:
    """A notice of the chosen rows, for who may post one, while the year is open."""
    if state_of(program_year) != "open" or not can_anywhere(user, views.POST, program_year.program):
        return []
    url = url_for("notices.new", name=register.name)
    return [BatchAction(title=_("Post a public notice"), url=url, icon="speakerphone")]


def notices_panel(user: User, register: Register, program_year: ProgramYear, row: Any) -> Panel | None:
    """The notices that the entry stood under, on its page."""
    found = lines_of_row(register, row.id)
    if not found:
        return None
    lines = [(notice, line, state_of_notice(notice, today())) for notice, line in found
             if notice.program_year_id == program_year.id]  # fmt: skip
    context = {"lines": lines, "handling": handling_scope(user, program_year.program), "name": register.name}
    return Panel(template="notices/_entry.html", context=context) if lines else None


def waiting_objections(user: User) -> list[WaitingItem]:
    """Objections that the user may decide on, a line for each notice; never those of their own doing."""
    mine = [
        row
        for row in open_objections()
        if user.id not in (row[3].recorded_by, row[1].created_by)
        and scope_of(user, "notice.decide", row[0].program).includes(row[2].org_path)
    ]
    items = []
    for _notice_id, group in groupby(sorted(mine, key=lambda row: row[1].id), key=lambda row: row[1].id):
        rows = list(group)
        program_year, notice, line, objection = rows[0]
        url = url_for(
            "objections.index",
            year=program_year.year,
            sponsor=sponsor_code(program_year),
            program=program_year.program,
            name=notice.register.partition(".")[2],
            notice_id=notice.id,
            line_id=line.id,
        )
        title = _("Decide on the objections: %(title)s", title=notice.title)
        items.append(WaitingItem(title=title, url=url, count=len(rows), since=objection.created_at))
    return items
