"""Lists as files: who asked for which rows and columns, and where the file lies until it is too old."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_user, org_reference, sealed

KINDS = ("xlsx", "csv")


class Export(Base):
    """One file made of a list (导出), for the user who asked for it alone.

    ``source`` names the list, ``args`` what it is narrowed down to and ``sort`` its order, as in its address; a person
    in it is named by number. Headings and titles are written in ``language``. ``purpose`` says what a list of people is
    for, as :meth:`core.people.purposes.Purpose.said` gives it. ``key`` is where the content lies, none before it is
    made and after it is removed. ``password`` opens the file where it holds personal data; it is
    ciphertext and goes with the content.
    """

    __tablename__ = "core_export"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        Index("ix_core_export_user_id", "user_id", "id"),
        Index("ix_core_export_made_at", "made_at", postgresql_where="key IS NOT NULL"),
        {"info": of_user()},
    )

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    source: Mapped[str]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    title: Mapped[str]
    args: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    sort: Mapped[str] = mapped_column(server_default="")
    columns: Mapped[list[Any]] = mapped_column(server_default="[]")
    kind: Mapped[str]
    language: Mapped[str]
    purpose: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    job_id: Mapped[int | None] = mapped_column(ForeignKey("core_job.id"))
    rows: Mapped[int | None]
    size: Mapped[int | None]
    key: Mapped[str | None]
    password: Mapped[bytes | None] = sealed("password")
    created_at: Mapped[CreatedAt]
    made_at: Mapped[datetime | None]
