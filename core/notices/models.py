"""Public notices (公示): what was shown of which entries until when, and what was objected. And the calendar."""

from datetime import date
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_nobody, org_reference, sealed, seen_below, through


class CalendarDay(Base):
    """A day whose kind the province set itself: for years the library does not know yet, or against it."""

    __tablename__ = "core_calendar_day"
    __table_args__ = ({"info": of_nobody("working days")},)

    day: Mapped[date] = mapped_column(primary_key=True)
    working: Mapped[bool]
    reason: Mapped[str]


class Notice(Base):
    """A list of entries of the register with the code ``register``, shown to all unions concerned.

    ``org_id`` and ``org_path`` are the union that issues it. ``posted_on`` and ``ends_on`` are days in Asia/Shanghai;
    the last one still belongs to it, and stays whatever becomes of the calendar. ``columns`` are ``{name, title}`` of
    what the lines show, in Chinese, frozen with them; ``lines`` is their number.
    """

    __tablename__ = "core_notice"
    __table_args__ = (
        org_reference(),
        CheckConstraint("working_days >= 1 AND ends_on > posted_on", name="days"),
        CheckConstraint("num_nulls(withdrawn_on, withdrawn_by, withdrawal_reason) IN (0, 3)", name="withdrawn"),
        Index("ix_core_notice_program_year_id", "program_year_id", "register", "id"),
        Index("ix_core_notice_register", "register", "ends_on"),
        {"info": seen_below()},
    )

    id: Mapped[BigId]
    register: Mapped[str]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    title: Mapped[str]
    text: Mapped[str]
    contact: Mapped[str]
    columns: Mapped[list[Any]]
    lines: Mapped[int]
    working_days: Mapped[int]
    posted_on: Mapped[date]
    ends_on: Mapped[date]
    created_by: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    withdrawn_on: Mapped[date | None]
    withdrawn_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    withdrawal_reason: Mapped[str | None]


class NoticeLine(Base):
    """One entry as a notice shows it: ``shown`` is column name -> masked text, and nothing once the person is erased.

    ``row_id`` is the entry's, ``org_id`` the union that answered for it when the notice was posted. ``held`` while an
    objection to it is open, and for good when one was upheld.
    """

    __tablename__ = "core_notice_line"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("notice_id", "row_id"),
        Index("ix_core_notice_line_notice_id", "notice_id", "org_path", "id"),
        Index("ix_core_notice_line_row_id", "row_id"),
        Index("ix_core_notice_line_held", "row_id", postgresql_where="held"),
        Index("ix_core_notice_line_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
        {"info": seen_below()},
    )

    id: Mapped[BigId]
    notice_id: Mapped[int] = mapped_column(ForeignKey("core_notice.id"))
    row_id: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    shown: Mapped[dict[str, Any]]
    held: Mapped[bool] = mapped_column(server_default="false")


class Objection(Base):
    """What somebody has against a line of a notice; ``contact`` is a phone number, encrypted.

    The notice is announced to the unions below; what was said against it is for those who handle it.

    ``received_on`` is a day in Asia/Shanghai. ``upheld`` is none until somebody other than ``recorded_by`` decided.
    """

    __tablename__ = "core_objection"
    __table_args__ = (
        CheckConstraint("num_nulls(decided_on, decided_by, upheld, reason) IN (0, 4)", name="decided"),
        CheckConstraint("decided_by <> recorded_by", name="decided_by"),
        Index("ix_core_objection_notice_line_id", "notice_line_id"),
        Index("ix_core_objection_open", "notice_line_id", postgresql_where="upheld IS NULL"),
        {"info": through("notice_line_id", "core_notice_line", held=True)},
    )

    id: Mapped[BigId]
    notice_line_id: Mapped[int] = mapped_column(ForeignKey("core_notice_line.id"))
    text: Mapped[str]
    raised_by: Mapped[str]
    contact: Mapped[bytes | None] = sealed("contact")
    received_on: Mapped[date]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    decided_on: Mapped[date | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    upheld: Mapped[bool | None]
    reason: Mapped[str | None]


def state_of_notice(notice: Notice, day: date) -> str:
    """``withdrawn``, ``ended`` or ``running`` on ``day`` (Asia/Shanghai); on its last day it still runs."""
    if notice.withdrawn_on is not None:
        return "withdrawn"
    return "ended" if notice.ends_on < day else "running"
