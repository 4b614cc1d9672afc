"""Reading jobs: what somebody may see of them, newest first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import ColumnElement, Select, and_, func, or_, select

from core.extensions import db
from core.jobs.models import Job
from core.lists.types import Text
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.users.access import scope_of
from core.users.models import User

PAGE = 30
VIEW = "job.view"


@dataclass(frozen=True, slots=True)
class JobRow:
    """A job with what a page shows beside it; any of it may be missing."""

    job: Job
    org_name: str | None
    user_name: str | None
    program_year: ProgramYear | None

    @property
    def title(self) -> Text:
        """What the job is called, or its name where its plugin is gone."""
        spec = registry_of(current_app).jobs.get(self.job.name)
        return spec.title if spec is not None else self.job.name


def program_of(job: Job) -> str | None:
    """The program whose year the job belongs to."""
    return db.session.scalar(select(ProgramYear.program).where(ProgramYear.id == job.program_year_id))


def reach(user: User, permission: str = VIEW) -> ColumnElement[bool]:
    """The jobs of the user's scope, and those of a program that the user serves by a grant for it alone.

    The query must join :class:`ProgramYear`.
    """
    programs = {grant.program for grant in user.grants if grant.program is not None}
    of_programs = (
        and_(ProgramYear.program == program, scope_of(user, permission, program).covers(Job.org_path))
        for program in programs
    )
    return or_(scope_of(user, permission).covers(Job.org_path), *of_programs)


def page_of(user: User, states: Sequence[str] = (), *, before: int | None = None) -> tuple[list[JobRow], int | None]:
    """Up to 30 jobs in these states (none: in any) with ids below ``before``, and the id to go on below."""
    query = _rows(user).order_by(Job.id.desc()).limit(PAGE + 1)
    if states:
        query = query.where(Job.state.in_(states))
    if before is not None:
        query = query.where(Job.id < before)
    rows = [JobRow(row[0], row[1], row[2], row[3]) for row in db.session.execute(query)]
    return rows[:PAGE], rows[PAGE - 1].job.id if len(rows) > PAGE else None


def find(user: User, job_id: int) -> JobRow | None:
    """The job, if the user may see it."""
    row = db.session.execute(_rows(user).where(Job.id == job_id)).one_or_none()
    return JobRow(row[0], row[1], row[2], row[3]) if row is not None else None


def counts(user: User) -> dict[str, int]:
    """How many wait, run and have failed. Those that ended well grow for ever and are not counted."""
    query = (
        select(Job.state, func.count())
        .outerjoin(ProgramYear, ProgramYear.id == Job.program_year_id)
        .where(Job.state.in_(("queued", "running", "failed")), reach(user))
        .group_by(Job.state)
    )
    found = {row[0]: row[1] for row in db.session.execute(query)}
    return {state: found.get(state, 0) for state in ("queued", "running", "failed")}


def failed_for(user: User, permission: str) -> tuple[int, datetime | None]:
    """How many failed jobs the user holds ``permission`` on, and since when (UTC) the oldest of them has failed."""
    query = (
        select(func.count(), func.min(Job.finished_at))
        .select_from(Job)
        .outerjoin(ProgramYear, ProgramYear.id == Job.program_year_id)
        .where(Job.state == "failed", reach(user, permission))
    )
    count, since = db.session.execute(query).one()
    return count, since


def _rows(user: User) -> Select[Job, str, str, ProgramYear]:
    return (
        select(Job, Org.name, User.name, ProgramYear)
        .outerjoin(ProgramYear, ProgramYear.id == Job.program_year_id)
        .outerjoin(Org, Org.path == Job.org_path)
        .outerjoin(User, User.id == Job.user_id)
        .where(reach(user))
    )
