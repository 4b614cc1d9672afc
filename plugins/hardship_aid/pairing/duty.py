"""The yearly duty to visit (每年至少走访慰问一次): what waits at unions whose pairs lack visits."""

from datetime import date

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, SQLColumnExpression, String, Subquery, cast, exists, func, literal, select

from core.api import (
    SYSTEM,
    JobContext,
    JobSpec,
    Org,
    ProgramYear,
    TaskKind,
    db,
    finish_tasks,
    open_tasks,
    record,
    today,
)
from plugins.hardship_aid.pairing.models import Pair
from plugins.hardship_aid.pairing.queries import lacking
from plugins.hardship_aid.words import EDIT, PROGRAM

UNVISITED = TaskKind(
    code="hardship_aid.unvisited",
    title=_l("%(year)s: leaders have not visited all workers whom they are paired with"),
    endpoint="hardship_aid.unvisited",
)


def begins_on(program_year: ProgramYear) -> date:
    """The first day of the year on which unions are reminded."""
    return date(program_year.year, int(program_year.settings.get("remind_from_month", 10)), 1)


def remind(program_year: ProgramYear, on: date) -> int:
    """Open a task at each union with a pair that lacks visits, and finish those of unions that have none left.

    Tasks are opened from the month that the settings name, also when the year is over while its pages are open: what
    was done in it may be written down later. May run again at any time; returns how many tasks are new. Commits.
    """
    is_due = on >= begins_on(program_year)
    late = lacking(program_year).with_only_columns(Pair.org_id, Pair.org_path).distinct().subquery()
    opened = open_tasks(UNVISITED, _tasks(program_year, late)) if is_due else 0
    others = select(_subject(program_year, Org.id))
    if is_due:
        others = others.where(~exists().where(late.c.org_id == Org.id))
    finished = finish_tasks(SYSTEM, others, [UNVISITED])
    if opened or finished:
        subject = f"hardship_aid.pairs:{program_year.id}"
        record(SYSTEM, "pairs.remind", subject, program_year.org_path, opened=opened, finished=finished)
    db.session.commit()
    return opened


def _tasks(program_year: ProgramYear, late: Subquery) -> Select[*tuple[object, ...]]:
    return select(
        _subject(program_year, late.c.org_id).label("subject"),
        late.c.org_id,
        late.c.org_path,
        literal(EDIT).label("permission"),
        literal(program_year.id).label("program_year_id"),
        literal(date(program_year.year, 12, 31)).label("due_on"),
        func.jsonb_build_object("year", program_year.year).label("data"),
    )


def _subject(program_year: ProgramYear, org_id: SQLColumnExpression[int]) -> ColumnElement[str]:
    return func.concat(f"hardship_aid.pairs:{program_year.id}:", cast(org_id, String))


def look(context: JobContext) -> None:
    """What the clock asks for."""
    program_year = db.session.get(ProgramYear, context.program_year_id)
    if program_year is not None:
        remind(program_year, today())


JOBS = [
    JobSpec(
        name="hardship_aid.unvisited",
        title=_l("Look for workers whom their leaders have not visited"),
        func=look,
        queue="bulk",
        program=PROGRAM,
        schedule="20 5 * * *",
    )
]
