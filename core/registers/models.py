"""The columns of an entry of a register, and its history: who changed what, from which value to which."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, org_reference


class YearColumns:
    """The columns of a model whose entries belong to a program year and a union; inherit it beside your own base.

    With them come the tie to the tree of unions and the index by which the list is read. A model that says
    ``__table_args__`` itself names both again.
    """

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]

    @declared_attr.directive
    def __table_args__(cls) -> tuple[Any, ...]:  # SQLAlchemy hands the class over
        """The tie to the tree, and the index."""
        table: str = cls.__tablename__  # type: ignore[attr-defined]  # of the model
        return org_reference(), Index(f"ix_{table}_org_path", "program_year_id", "org_path", "id")


class RecordChange(Base):
    """One change of the entry ``row_id`` of the register with the code ``register``.

    ``values`` is field -> [before, after] as JSON values, and what is left of it when the person is erased is nothing.
    It belongs to the union of the entry. ``person_id`` is whom the entry is about.
    """

    __tablename__ = "core_record_change"
    __table_args__ = (
        org_reference(),
        Index("ix_core_record_change_register", "register", "row_id", "id"),
        Index("ix_core_record_change_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
    )

    id: Mapped[BigId]
    register: Mapped[str]
    row_id: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    action: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    actor: Mapped[str]
    at: Mapped[CreatedAt]
