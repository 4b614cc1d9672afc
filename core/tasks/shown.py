"""Tasks as the list of what waits shows them."""

from collections.abc import Sequence

from flask import url_for
from flask_babel import get_locale
from flask_babel import gettext as _

from core.programs.queries import title_of as year_title
from core.tasks.kinds import title_of, url_of
from core.tasks.queries import TaskRow, count_mine, count_my_overdue, page_of_mine
from core.users.access import today
from core.users.models import User
from core.web.home import WaitingItem

#: How many tasks the home page shows; the rest is one line that leads to all of them.
SHOWN = 10


def waiting_tasks(user: User) -> list[WaitingItem]:
    """The most urgent tasks of ``user``, and how many more there are."""
    rows = page_of_mine(user, limit=SHOWN)
    items = items_of(rows[:SHOWN])
    if len(rows) > SHOWN:
        more, late = count_mine(user) - SHOWN, count_my_overdue(user) - sum(item.overdue for item in items)
        items.append(WaitingItem(title=_("More tasks"), url=url_for("tasks.index"), count=more, overdue=late))
    return items


def items_of(rows: Sequence[TaskRow]) -> list[WaitingItem]:
    """Tasks as they are shown: the title, the union and the program, the way there, the last day."""
    return [
        WaitingItem(
            title=title_of(row.task.kind, row.task.data),
            url=url_of(row.task.kind, row.task.address, row.program_year),
            overdue=int(row.task.due_on is not None and row.task.due_on < today()),
            since=row.task.created_at,
            due_on=row.task.due_on,
            where=where(row),
        )
        for row in rows
    ]


def where(row: TaskRow) -> str:
    """The union that a task belongs to, and the program."""
    year = row.program_year
    title = f"{year.year} {year_title(year, str(get_locale()))}" if year else ""
    return " · ".join(part for part in (row.org.short_name, title) if part)
