"""Files that are on their way into a register: what was uploaded, and its rows until they are merged or thrown away."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, digest_of, of_user, org_reference, sealed, through

STATES = ("reading", "mapping", "staged", "merging", "merged", "cancelled", "failed", "undone")
#: Imports in these states wait for somebody or for a worker.
UNFINISHED = ("reading", "mapping", "staged", "merging")


class Import(Base):
    """One file for a register (导入). ``org_id`` is the union of who uploaded it.

    ``headings`` are the texts of its heading row, ``columns`` the field of each (empty: left out) once they are known.
    ``good``, ``bad`` and ``there`` count its rows: to be merged, wrong, and in the register already; of the good ones
    ``alike`` could be the same as an entry that is there, and ``new_people`` are of a person who is not on file yet.
    ``added`` and ``removed`` say what merging and undoing did.
    ``error`` is the sentence why reading or merging failed. ``language`` is that of its sentences.
    """

    __tablename__ = "core_import"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"state IN {STATES}", name="state"),
        Index("ix_core_import_register", "program_year_id", "register", "org_path", "id"),
        {"info": of_user()},
    )

    id: Mapped[BigId]
    register: Mapped[str]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    file_name: Mapped[str]
    digest: Mapped[bytes]
    language: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="reading")
    headings: Mapped[list[Any]] = mapped_column(server_default="[]")
    columns: Mapped[list[Any]] = mapped_column(server_default="[]")
    good: Mapped[int] = mapped_column(server_default="0")
    bad: Mapped[int] = mapped_column(server_default="0")
    there: Mapped[int] = mapped_column(server_default="0")
    alike: Mapped[int] = mapped_column(server_default="0")
    new_people: Mapped[int] = mapped_column(server_default="0")
    added: Mapped[int] = mapped_column(server_default="0")
    removed: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]
    merged_at: Mapped[datetime | None]


class ImportRow(Base):
    """One line of a file. ``values`` holds its fields as JSON: as the register takes them, or as typed where wrong.

    Identity number, phone and bank account stand in ``secret`` only: an encrypted JSON object, also where they are
    wrong. ``errors`` are sentences; ``there`` means that the register has it already, ``alike`` that it has an entry
    which could be the same. ``row_id`` is the row that the merge made of it. Once merged, a good line keeps no values.

    ``import_id`` is no foreign key, which would be checked row by row: rows come in with their import locked, and no
    import is ever removed.
    """

    __tablename__ = "core_import_row"
    __table_args__ = ({"info": through("import_id", "core_import")},)

    import_id: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    values: Mapped[dict[str, Any]]
    secret: Mapped[bytes | None] = sealed("import_row")
    id_number_digest: Mapped[bytes | None] = digest_of("secret", "id_number")
    id_number_tail: Mapped[str] = mapped_column(server_default="")
    errors: Mapped[list[Any]] = mapped_column(server_default="[]")
    there: Mapped[bool] = mapped_column(server_default="false")
    alike: Mapped[bool] = mapped_column(server_default="false")
    row_id: Mapped[int | None]


class ImportMapping(Base):
    """What a user said about the headings of a register's files: heading -> field, empty: left out."""

    __tablename__ = "core_import_mapping"
    __table_args__ = ({"info": of_user()},)

    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"), primary_key=True)
    register: Mapped[str] = mapped_column(primary_key=True)
    columns: Mapped[dict[str, Any]]
