"""Which program runs in which year, by whom, with which settings."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_nobody, org_reference

#: What the database takes; anything else in an address or a form is a slip of the keyboard.
FIRST_YEAR, LAST_YEAR = 1949, 2199


class ProgramYear(Base):
    """One program in one year, run by one sponsor (年度项目). ``title`` is frozen, so that it reads without the plugin.

    ``org_id`` and ``org_path`` are the sponsor's. Open means: enabled, and today within opens_on..closes_on, both
    inclusive (Asia/Shanghai). ``settings`` is the newest version; all versions stay in :class:`SettingsVersion`.
    """

    __tablename__ = "core_program_year"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("program", "year", "org_id"),
        CheckConstraint(f"year BETWEEN {FIRST_YEAR} AND {LAST_YEAR}", name="year"),
        CheckConstraint("closes_on >= opens_on", name="dates"),
        {"info": of_nobody("which programs run, and their settings")},
    )

    id: Mapped[BigId]
    program: Mapped[str]
    title: Mapped[dict[str, Any]]
    year: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    enabled: Mapped[bool] = mapped_column(server_default="true")
    opens_on: Mapped[date]
    closes_on: Mapped[date | None]
    closed_at: Mapped[datetime | None]
    settings: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    settings_version: Mapped[int] = mapped_column(server_default="1")
    created_at: Mapped[CreatedAt]


class SettingsVersion(Base):
    """What the settings of a program year were, version by version; a run names the version it was computed with."""

    __tablename__ = "core_settings_version"
    __table_args__ = ({"info": of_nobody("settings of programs")},)

    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    settings: Mapped[dict[str, Any]]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    at: Mapped[CreatedAt]
