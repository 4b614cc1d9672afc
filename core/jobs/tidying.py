"""What is kept of background jobs: failed ones until somebody retries them, all others for some months."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import aliased

from core.bulk import delete_all
from core.database import metadata
from core.extensions import db
from core.jobs.context import JobContext
from core.jobs.models import Job, ScheduleMark
from core.plugin.types import JobSpec

#: How long a job that ended well, or was skipped, can be looked up.
KEPT = timedelta(days=90)


def tidy(_context: JobContext) -> None:
    """Remove old marks of schedules, then old jobs that nothing refers to."""
    newer = aliased(ScheduleMark)
    later = db.exists().where(
        newer.name == ScheduleMark.name,
        newer.program_year_id.is_not_distinct_from(ScheduleMark.program_year_id),
        newer.due_at > ScheduleMark.due_at,
    )
    # The latest mark of a schedule stays, however old: it says when the schedule was last looked at.
    delete_all(ScheduleMark, ScheduleMark.due_at < func.now() - KEPT, later)
    ended = Job.state.in_(("done", "skipped"))
    delete_all(Job, ended, Job.finished_at < func.now() - KEPT, *(~used for used in _used()))


def _used() -> list[ColumnElement[bool]]:
    """For each column of the core that refers to jobs, whether it names the job."""
    number = Job.__table__.c.id
    columns = [
        key.parent
        for table in metadata.tables.values()
        if table.name.startswith("core_")
        for key in table.foreign_keys
        if key.column is number
    ]
    return [db.exists().where(column == Job.id) for column in columns]


JOBS = [
    JobSpec(
        name="jobs.tidy",
        title=_l("Remove old background jobs"),
        sees_all="it removes the old jobs of everybody",
        func=tidy,
        schedule="20 3 * * *",
    )
]
