"""Reading exports: each belongs to the user who asked for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, Select, func, select

from core.exports.models import Export
from core.extensions import db
from core.jobs.models import Job
from core.privacy.queries import rule_of
from core.programs.models import ProgramYear
from core.programs.queries import may_see
from core.users.models import User

PAGE = 50


def kept_for() -> timedelta:
    """How long a file is kept: at first seven days, long enough for whoever asked on a Friday."""
    return timedelta(days=rule_of().export_days)


@dataclass(frozen=True, slots=True)
class ExportRow:
    """An export and the job that makes it."""

    export: Export
    job: Job | None

    @property
    def state(self) -> str:
        """``ready``, ``removed``, or that of the job."""
        if self.export.key:
            return "ready"
        return "removed" if self.export.made_at else self.job.state if self.job else "queued"


def exports_of(user_id: int, before: int | None = None) -> Sequence[ExportRow]:
    """The exports of a user, newest first, below an id; one more than :data:`PAGE` if there is a next page."""
    query = _exports(Export.user_id == user_id).order_by(Export.id.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Export.id < before)
    return [ExportRow(export, job) for export, job in db.session.execute(query)]


def find_export(user_id: int, export_id: int) -> ExportRow | None:
    """One export, if it is the user's own."""
    if export_id >= 2**63:
        return None
    row = db.session.execute(_exports(Export.user_id == user_id, Export.id == export_id)).one_or_none()
    return ExportRow(*row) if row else None


def readable_year(user: User, program_year_id: int) -> ProgramYear | None:
    """The program year with this id, if it is on and the user may see it."""
    found = db.session.get(ProgramYear, program_year_id) if program_year_id < 2**63 else None
    return found if found and found.enabled and may_see(user, found) else None


def too_old() -> Sequence[Export]:
    """Exports whose content has been kept long enough, some hundred at once."""
    old = (Export.key.is_not(None), Export.made_at < func.now() - kept_for())
    return db.session.scalars(select(Export).where(*old).order_by(Export.id).limit(500)).all()


def named_keys(keys: Iterable[str]) -> set[str]:
    """Those of the keys that some export names."""
    return set(db.session.scalars(select(Export.key).where(Export.key.in_(list(keys)))))


def _exports(*conditions: ColumnElement[bool]) -> Select[Export, Job]:
    return select(Export, Job).outerjoin(Job, Job.id == Export.job_id).where(*conditions)
