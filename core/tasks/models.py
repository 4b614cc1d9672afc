"""What waits for whom, what was told to whom, and the e-mails that say so."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_user, org_reference

_OPEN = "done_at IS NULL"


class Task(Base):
    """Something that waits for the people of one union who hold ``permission``, or for one user (待办事项).

    ``subject`` names the record as the audit trail does. ``due_on`` is the last day on which it is done in time
    (Asia/Shanghai). ``not_user_id`` is who must not do it, as nobody reviews their own work. ``reminded_at``,
    ``overdue_at`` and ``announced_at`` say that people were told, so that nobody is told twice.
    """

    __tablename__ = "core_task"
    __table_args__ = (
        org_reference(),
        CheckConstraint("(permission IS NULL) <> (user_id IS NULL)", name="whose"),
        Index(
            "uq_core_task_open", "subject", "kind", "permission", "user_id",
            unique=True, postgresql_where=_OPEN, postgresql_nulls_not_distinct=True,
        ),
        Index("ix_core_task_org_id", "org_id", "due_on", "id", postgresql_where=_OPEN),
        Index("ix_core_task_user_id", "user_id", "due_on", "id", postgresql_where=_OPEN),
        Index("ix_core_task_org_path", "org_path", "due_on", postgresql_where=_OPEN),
        Index("ix_core_task_due_on", "due_on", "id", postgresql_where=_OPEN),
        Index("ix_core_task_new", "id", postgresql_where=f"{_OPEN} AND announced_at IS NULL"),
        {"info": of_user(appended=True)},
    )  # fmt: skip

    id: Mapped[BigId]
    subject: Mapped[str]
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    address: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    permission: Mapped[str | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    not_user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    due_on: Mapped[date | None]
    created_at: Mapped[CreatedAt]
    done_at: Mapped[datetime | None]
    done_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    announced_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    overdue_at: Mapped[datetime | None]


class Message(Base):
    """One message in a user's inbox (消息). ``key`` keeps the same message from being written twice to one user."""

    __tablename__ = "core_message"
    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_core_message_user_id", "user_id", "id"),
        Index("ix_core_message_unread", "user_id", postgresql_where="read_at IS NULL"),
        Index("ix_core_message_new", "id", postgresql_where="announced_at IS NULL"),
        {"info": of_user(appended=True)},
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    kind: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    subject: Mapped[str]
    address: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    key: Mapped[str | None]
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]
    announced_at: Mapped[datetime | None]


class Mail(Base):
    """One e-mail that is owed to a user, without its text: that is counted when it is sent.

    ``sent_at`` is written before the mail is handed over, and taken back only when the server refused it: a mail may
    be lost with a killed worker, and is never sent twice. ``day`` is set for the daily one: one a user and day.
    """

    __tablename__ = "core_mail"
    __table_args__ = (
        UniqueConstraint("user_id", "day"),
        Index("ix_core_mail_owed", "id", postgresql_where="sent_at IS NULL"),
        {"info": of_user()},
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    day: Mapped[date | None]
    created_at: Mapped[CreatedAt]
    attempts: Mapped[int] = mapped_column(server_default="0")
    sent_at: Mapped[datetime | None]
    error: Mapped[str | None]
