"""Attachments (附件): files that belong to a record of any kind."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, of_user, org_reference


class File(Base):
    """One file of a record, which ``subject`` names as the audit trail does (``four_seasons.targets:12``).

    ``kind`` is the MIME type that its content shows, ``size`` is in bytes, ``digest`` is the SHA-256 of the content.
    ``key`` names the content in the store; when the file is removed the content goes, and the row stays.
    """

    __tablename__ = "core_file"
    __table_args__ = (
        org_reference(),
        CheckConstraint("size > 0", name="size"),
        CheckConstraint("(removed_at IS NULL) = (key IS NOT NULL)", name="removed"),
        CheckConstraint("key IS NOT NULL OR thumbnail_key IS NULL", name="thumbnail"),
        Index("ix_core_file_subject", "subject", "id"),
        Index("uq_core_file_subject_digest", "subject", "digest", unique=True, postgresql_where="removed_at IS NULL"),
        Index("uq_core_file_key", "key", unique=True),
        Index("uq_core_file_thumbnail_key", "thumbnail_key", unique=True),
        Index("ix_core_file_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
        {"info": of_user()},
    )

    id: Mapped[BigId]
    subject: Mapped[str]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    name: Mapped[str]
    kind: Mapped[str]
    size: Mapped[int]
    digest: Mapped[bytes]
    key: Mapped[str | None]
    thumbnail_key: Mapped[str | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    removed_at: Mapped[datetime | None]
