"""Telling people in time: what is due soon, what is overdue, what the unions below have left undone.

Each is one statement that marks the tasks and writes one message for each user, however many tasks there are; a second
run finds no task that is not marked, and writes nothing. A task that is due today is not overdue.
"""

from collections import defaultdict
from datetime import date
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, and_, func, insert, literal, not_, or_, select, update

from core.extensions import db
from core.notices.calendar import add_working_days, is_working_day
from core.programs.models import ProgramYear
from core.tasks.kinds import TaskKind
from core.tasks.models import Message, Task
from core.tasks.queries import YEAR_RUNS, doers, left_undone, open_now, supervisors
from core.tasks.services import tell_anew
from core.users.access import today

#: Working days before the last day, unless the settings of the program year say otherwise.
DAYS_BEFORE = 2
SETTING = "reminder_working_days"

DUE_SOON = TaskKind(code="tasks.due_soon", title=_l("Tasks that are due soon: %(count)s"), endpoint="tasks.index")
OVERDUE = TaskKind(code="tasks.overdue", title=_l("Tasks that are overdue: %(count)s"), endpoint="tasks.index")
BELOW = TaskKind(
    code="tasks.overdue_below", title=_l("Overdue at the unions below: %(count)s"), endpoint="tasks.overdue"
)
#: What waits where nobody may do it is told every working day, as long as it does.
UNDONE = TaskKind(
    code="tasks.left_undone",
    title=_l("Tasks at the unions below that nobody there may do: %(count)s"),
    endpoint="tasks.overdue",
)


def remind(day: date | None = None) -> None:
    """Remind of what is due within the working days that the settings say, and tell what became overdue."""
    day = day or today()
    _tell({DUE_SOON: doers}, Task.reminded_at, and_(Task.due_on >= day, _due_soon(day)), day)
    _tell({OVERDUE: doers, BELOW: supervisors}, Task.overdue_at, Task.due_on < day, day)
    if is_working_day(day):
        _tell_of_undone(day)
    db.session.commit()


def days_before(program_year: ProgramYear) -> int:
    """How many working days before the last day people are reminded."""
    days = program_year.settings.get(SETTING)
    return DAYS_BEFORE if days is None else int(days)


def _tell_of_undone(day: date) -> None:
    undone = select(Task.id, Task.org_id, Task.program_year_id).where(Task.id.in_(left_undone(open_now())))
    told = supervisors(undone.subquery()).subquery()
    data = func.jsonb_build_object("count", func.count())
    people = select(told.c.user_id, data.label("data")).group_by(told.c.user_id)
    tell_anew(UNDONE, people, "tasks:undone", day)


def _due_soon(day: date) -> ColumnElement[bool]:
    """Due by the last day of which people are reminded today; years with settings of their own count by these."""
    by_days: dict[int, list[int]] = defaultdict(list)
    setting = ProgramYear.settings[SETTING].as_integer()
    for year_id, days in db.session.execute(select(ProgramYear.id, setting).where(ProgramYear.enabled)):
        if days is not None and days != DAYS_BEFORE:
            by_days[days].append(year_id)
    own = [year_id for ids in by_days.values() for year_id in ids]
    others = or_(Task.program_year_id.is_(None), not_(Task.program_year_id.in_(own)))
    return or_(
        others & (Task.due_on <= add_working_days(day, DAYS_BEFORE)),
        *(
            Task.program_year_id.in_(ids) & (Task.due_on <= add_working_days(day, days))
            for days, ids in by_days.items()
        ),
    )


def _tell(kinds: dict[TaskKind, Any], mark: Any, condition: ColumnElement[bool], day: date) -> None:
    """Mark the open tasks under the condition, and write a message with their number to everybody concerned."""
    running = select(Task.id).outerjoin(ProgramYear, ProgramYear.id == Task.program_year_id)
    running = running.where(Task.done_at.is_(None), mark.is_(None), condition, YEAR_RUNS)
    marked = (
        update(Task)
        .where(Task.id.in_(running), mark.is_(None))
        .values({mark: func.now()})
        .returning(Task.id, Task.org_id, Task.permission, Task.user_id, Task.not_user_id, Task.program_year_id)
        .cte("marked")
    )
    messages = []
    for kind, people in kinds.items():
        concerned = people(marked).subquery()
        messages.append(
            select(
                concerned.c.user_id.label("user_id"),
                literal(kind.code).label("kind"),
                literal(f"tasks:{day.isoformat()}").label("subject"),
                func.jsonb_build_object("count", func.count()).label("data"),
            ).group_by(concerned.c.user_id)
        )
    first, *more = messages
    written = first.union_all(*more) if more else first
    db.session.execute(insert(Message).from_select(["user_id", "kind", "subject", "data"], written))
