"""The hardship list of a program year, its targets, and visits."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.api import TYPES, BigId, CreatedAt, Fen, OrgPath, metadata, org_reference

CATEGORIES = ("deep", "relative", "accidental")
#: What a visit brings: money (慰问金) or goods (慰问品).
GIFTS = ("cash", "goods")


class Base(DeclarativeBase):
    """Base of the plugin's models: a registry of its own on the shared metadata."""

    metadata = metadata
    type_annotation_map = TYPES


class Hardship(Base):
    """One worker on the hardship list (困难职工名单) of a program year, under the union that answers for them.

    ``category`` is deep, relative or accidental (深度困难, 相对困难, 意外致困).
    """

    __tablename__ = "four_seasons_hardship"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"category IN {CATEGORIES}", name="category"),
        UniqueConstraint("program_year_id", "person_id"),
        Index("ix_four_seasons_hardship_org_path", "program_year_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    category: Mapped[str]
    cause: Mapped[str]
    created_at: Mapped[CreatedAt]


class Target(Base):
    """How many workers a union is to reach in a program year (目标任务); 0 while nobody has set it."""

    __tablename__ = "four_seasons_target"
    __table_args__ = (
        org_reference(),
        CheckConstraint("workers >= 0", name="workers"),
        UniqueConstraint("program_year_id", "org_id"),
        Index("ix_four_seasons_target_org_path", "program_year_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    workers: Mapped[int] = mapped_column(server_default="0")


class Visit(Base):
    """A visit (走访慰问) that a union paid from its budget line: to one worker on file, or to a unit by its name.

    ``visited_on`` is its day, ``party`` who went, ``gift`` what goods were brought, worth ``amount_fen``. It is written
    with its entry and never changed; ``reversal_id`` is the entry that undid it. ``activity_id`` is its line of the
    work ledger (no plugin's table points there).
    """

    __tablename__ = "four_seasons_visit"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"kind IN {GIFTS}", name="kind"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(person_id IS NULL) <> (unit = '')", name="whom"),
        Index("ix_four_seasons_visit_org_path", "program_year_id", "org_path", "id"),
        Index("ix_four_seasons_visit_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    unit: Mapped[str] = mapped_column(server_default="")
    visited_on: Mapped[date]
    party: Mapped[str]
    kind: Mapped[str]
    gift: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]
    amount_fen: Mapped[Fen]
    entry_id: Mapped[int] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    activity_id: Mapped[int]
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
