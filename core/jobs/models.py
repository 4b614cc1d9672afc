"""Background jobs: the database says what must run; Redis only carries the message."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_nobody, of_user

STATES = ("queued", "running", "done", "failed", "skipped")


class Job(Base):
    """One piece of background work (后台任务).

    ``key`` keeps a job from being asked for twice while one is waiting or running. ``attempt`` counts claims and fences
    off a worker that was taken for dead. ``args`` holds ids and JSON values only, never personal data. ``not_before``
    is when the next attempt of a job that could not reach the database is due.
    """

    __tablename__ = "core_job"
    __table_args__ = (
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("uq_core_job_key", "key", unique=True, postgresql_where="state IN ('queued', 'running')"),
        Index("ix_core_job_state", "state", "id"),
        Index("ix_core_job_org_path", "org_path", "id"),
        {"info": of_user()},
    )

    id: Mapped[BigId]
    name: Mapped[str]
    queue: Mapped[str]
    args: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    key: Mapped[str | None]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    org_path: Mapped[OrgPath]
    state: Mapped[str] = mapped_column(server_default="queued")
    attempt: Mapped[int] = mapped_column(server_default="0")
    max_attempts: Mapped[int] = mapped_column(server_default="3")
    progress_done: Mapped[int] = mapped_column(server_default="0")
    progress_total: Mapped[int] = mapped_column(server_default="0")
    message: Mapped[str] = mapped_column(server_default="")
    error: Mapped[str | None]
    error_detail: Mapped[str | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    not_before: Mapped[datetime | None]
    sent_at: Mapped[datetime | None]
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ScheduleMark(Base):
    """One due time of a schedule: the unique row is the lock between clocks, and the record of what ran."""

    __tablename__ = "core_schedule_mark"
    __table_args__ = (
        UniqueConstraint("name", "program_year_id", "due_at", postgresql_nulls_not_distinct=True),
        {"info": of_nobody("when schedules came due")},
    )

    id: Mapped[BigId]
    name: Mapped[str]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    due_at: Mapped[datetime]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("core_job.id"))
