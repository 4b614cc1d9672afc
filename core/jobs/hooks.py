"""What the background jobs answer when a program year is about to be closed."""

from flask_babel import ngettext
from sqlalchemy import func, select

from core.extensions import db
from core.jobs.models import Job
from core.plugin.hookspecs import hookimpl
from core.plugin.types import Blocker
from core.programs.models import ProgramYear


@hookimpl
def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """A year is not closed while a job of it waits or runs."""
    unfinished = select(func.count()).where(
        Job.program_year_id == program_year.id, Job.state.in_(("queued", "running"))
    )
    count = db.session.scalars(unfinished).one()
    if not count:
        return []
    sentence = ngettext(
        "%(num)d background job is not finished; wait for it or cancel it.",
        "%(num)d background jobs are not finished; wait for them or cancel them.",
        count,
    )
    return [Blocker(step="close", sentence=sentence)]
