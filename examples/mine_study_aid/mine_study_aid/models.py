"""The register of students."""

from datetime import date

from core.api import TYPES, BigId, CreatedAt, OrgPath, metadata, org_reference
from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Base of the plugin's models: a registry of its own on the shared metadata."""

    metadata = metadata
    type_annotation_map = TYPES


class Student(Base):
    """A child of a family that a mine disaster has hit, from enrolment to graduation: it stays from year to year.

    ``level`` is a code of ``words.LEVELS``. When a student goes on to another school, level, school and days are
    changed in the register; what was paid before stays as it was.
    """

    __tablename__ = "mine_study_aid_student"
    __table_args__ = (
        org_reference(),
        CheckConstraint("graduates_on > enrolled_on", name="days"),
        UniqueConstraint("sponsor_id", "person_id"),
        Index("ix_mine_study_aid_student_org_path", "sponsor_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), index=True)
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    level: Mapped[str]
    school: Mapped[str]
    enrolled_on: Mapped[date]
    graduates_on: Mapped[date]
    created_at: Mapped[CreatedAt]
