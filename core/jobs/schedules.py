"""Schedules: what is due, once for all clocks. A cron line is read in Asia/Shanghai.

A time that was missed while no clock ran is made good once, for the latest due time only. A schedule that is seen for
the first time starts with its next due time.
"""

from collections.abc import Iterable
from datetime import datetime

import structlog
from croniter import croniter
from flask import current_app
from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import InterfaceError, OperationalError

from core.audit.services import SYSTEM
from core.config import LOCAL_ZONE
from core.extensions import db
from core.jobs.models import ScheduleMark
from core.jobs.services import enqueue
from core.org.queries import root_path
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.programs.models import ProgramYear

#: ``provider(program)`` -> ids of the program years that are on now; set by core/programs.
ENABLED_YEARS = "zhijia_enabled_years"
log = structlog.get_logger()


def latest_due(schedule: str, now: datetime) -> datetime:
    """The last time before ``now`` that the cron line names; at the very instant it still is the one before."""
    last: datetime = croniter(schedule, now.astimezone(LOCAL_ZONE), ret_type=datetime).get_prev()
    return last


def enqueue_due() -> int:
    """Enqueue what came due on any schedule since it was last looked at; returns how many jobs were made.

    Commits for each schedule; one that fails is logged and leaves the others alone.
    """
    now = db.session.scalars(select(func.now())).one()
    made = 0
    for spec in registry_of().jobs.values():
        if spec.schedule is None:
            continue
        try:
            made += sum(_run_if_due(spec, year_id, path, now) for year_id, path in _places(spec))
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            db.session.rollback()
            log.exception("schedule failed", name=spec.name)
    return made


def _places(spec: JobSpec) -> Iterable[tuple[int | None, str]]:
    """Each enabled program year of the spec's program with its sponsor's path; without a program, the whole tree."""
    if spec.program is None:
        root = root_path()
        return [(None, root)] if root is not None else []
    provider = current_app.extensions.get(ENABLED_YEARS)
    ids = list(provider(spec.program)) if provider is not None else []
    rows = db.session.execute(select(ProgramYear.id, ProgramYear.org_path).where(ProgramYear.id.in_(ids)))
    return [(row.id, row.org_path) for row in rows]


def _run_if_due(spec: JobSpec, program_year_id: int | None, org_path: str, now: datetime) -> bool:
    due = latest_due(spec.schedule or "", now)
    same = (ScheduleMark.name == spec.name, ScheduleMark.program_year_id.is_not_distinct_from(program_year_id))
    last = db.session.scalars(select(func.max(ScheduleMark.due_at)).where(*same)).one()
    if last is not None and due <= last:
        return False
    mark = insert(ScheduleMark).values(name=spec.name, program_year_id=program_year_id, due_at=due)
    # Another clock that is at the same row makes this wait for it, and then find the row there.
    mark_id = db.session.scalars(mark.on_conflict_do_nothing().returning(ScheduleMark.id)).one_or_none()
    made = mark_id is not None and last is not None
    if made:
        key = f"{spec.name}:{program_year_id or ''}"
        job = enqueue(spec.name, SYSTEM, org_path, program_year_id=program_year_id, key=key)
        db.session.execute(update(ScheduleMark).where(ScheduleMark.id == mark_id).values(job_id=job.id))
    db.session.commit()
    return made
