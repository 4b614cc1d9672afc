"""The hardship list of a program year, and the staging of lists that come in as files."""

from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.api import TYPES, BigId, CreatedAt, OrgPath, metadata, org_reference

CATEGORIES = ("deep", "relative", "accidental")
IMPORT_STATES = ("staged", "merging", "merged", "cancelled")


class Base(DeclarativeBase):
    """Base of the plugin's models: a registry of its own on the shared metadata."""

    metadata = metadata
    type_annotation_map = TYPES


class Hardship(Base):
    """One worker on the hardship list (困难职工名单) of a program year, under the union that answers for them.

    ``category`` is deep, relative or accidental (深度困难, 相对困难, 意外致困). ``source`` says how the row came:
    ``form``, ``import:<id>`` or ``made``.
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
    source: Mapped[str]
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


class Import(Base):
    """One uploaded list: staged and checked, then merged or cancelled. ``org_id`` is the uploader's union.

    ``good`` and ``bad`` count its rows; ``added`` counts those that the merge put on the list.
    """

    __tablename__ = "four_seasons_import"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"state IN {IMPORT_STATES}", name="state"),
        Index("ix_four_seasons_import_program_year_id", "program_year_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    file_name: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="staged")
    good: Mapped[int] = mapped_column(server_default="0")
    bad: Mapped[int] = mapped_column(server_default="0")
    added: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]


class ImportRow(Base):
    """One line of an uploaded list. The three personal numbers are ciphertext, also where they are wrong.

    ``errors`` holds sentences in the language of who uploaded it; none means that the row is good.
    """

    __tablename__ = "four_seasons_import_row"
    __table_args__ = (Index("ix_four_seasons_import_row_digest", "import_id", "id_number_digest"),)

    import_id: Mapped[int] = mapped_column(ForeignKey("four_seasons_import.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    org_code: Mapped[str]
    category: Mapped[str]
    cause: Mapped[str]
    bank_name: Mapped[str]
    id_number: Mapped[bytes]
    id_number_digest: Mapped[bytes | None]
    id_number_tail: Mapped[str]
    phone: Mapped[bytes | None]
    bank_account: Mapped[bytes | None]
    errors: Mapped[list[Any]] = mapped_column(server_default="[]")
