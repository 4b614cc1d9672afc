"""Telling people of entries: who may decide on them what is due soon or overdue, those above what is left lying.

One message a user, register and working day, with the counts, by one statement a register however many entries there
are. As long as something is due it is told anew; what was said before and is not read yet goes.
"""

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, literal, select

from core.extensions import db
from core.flows.deciders import backlog, deciders, stages_of
from core.flows.queries import flows_of
from core.notices.calendar import add_working_days
from core.org.models import Org
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import everything
from core.tasks.kinds import TaskKind
from core.tasks.queries import supervising
from core.tasks.reminders import days_before
from core.tasks.services import tell_anew
from core.users.access import today

DUE = TaskKind(
    code="flows.due",
    title=_l("%(register)s %(year)s: %(count)s entries wait for you and are due soon or overdue (%(overdue)s)"),
    endpoint="registers.index",
)
BELOW = TaskKind(
    code="flows.below",
    title=_l("%(register)s %(year)s, unions below: %(overdue)s entries overdue, %(stuck)s where nobody may decide"),
    endpoint="tasks.overdue",
)


def remind(day: date | None = None) -> None:
    """Tell everybody concerned; a second run on the same day tells nobody twice. Commits for each register."""
    day = day or today()
    for register, program_year, sponsor in list(flows_of(everything())):
        subject = f"flows:{register.code}:{program_year.id}"
        due = _due(register, program_year, sponsor, day)
        if due is not None:
            tell_anew(DUE, due, subject, day, program_year_id=program_year.id, address={"name": register.name})
        above = _above(register, program_year, sponsor, day)
        tell_anew(BELOW, above, subject, day, program_year_id=program_year.id)
        db.session.commit()


def _due(register: Register, program_year: ProgramYear, sponsor: Org, day: date) -> Select[int, object] | None:
    """Who may decide on what is due within the days that the settings say, and on how much of it."""
    model = register.model
    last = add_working_days(day, days_before(program_year))
    stages = stages_of(register, program_year, sponsor)
    if not stages:
        return None
    pairs = deciders(stages, model.due_on <= last).subquery()
    counted = func.jsonb_build_object(
        *_named(register, program_year),
        *("count", func.count()),
        *("overdue", func.count().filter(model.due_on < day)),
    )
    people = select(pairs.c.user_id, counted.label("data")).join(model, model.id == pairs.c.row_id)
    return people.group_by(pairs.c.user_id)


def _above(register: Register, program_year: ProgramYear, sponsor: Org, day: date) -> Select[int, object]:
    """Who supervises the unions where something lies, and how much of it is overdue and how much is stuck."""
    lain = backlog(register, program_year, sponsor, day).subquery()
    sums = (func.sum(lain.c.overdue).label("overdue"), func.sum(lain.c.stuck).label("stuck"))
    places = select(lain.c.org_id, lain.c.path, *sums).group_by(lain.c.org_id, lain.c.path).cte("places")
    where = select(places.c.org_id.label("task_id"), places.c.path, literal(program_year.program).label("program"))
    told = supervising(where, register.view_permission).subquery()
    counted = func.jsonb_build_object(
        *_named(register, program_year),
        *("overdue", func.sum(places.c.overdue)),
        *("stuck", func.sum(places.c.stuck)),
    )
    people = select(told.c.user_id, counted.label("data")).join(places, places.c.org_id == told.c.task_id)
    return people.group_by(told.c.user_id)


def _named(register: Register, program_year: ProgramYear) -> list[object]:
    """The register in the reader's language, and the year, for the title of a message."""
    return ["register", func.jsonb_build_object("register", register.code), "year", program_year.year]
