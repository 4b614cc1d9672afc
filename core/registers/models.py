"""The history of the entries of registers: who changed what, from which value to which."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt


class RecordChange(Base):
    """One change of the entry ``row_id`` of the register with the code ``register``.

    ``values`` is field -> [before, after] as JSON values, and what is left of it when the person is erased is nothing.
    It is reached only through the entry itself, whose scope is asked for. ``person_id`` is whom the entry is about.
    """

    __tablename__ = "core_record_change"
    __table_args__ = (
        Index("ix_core_record_change_register", "register", "row_id", "id"),
        Index("ix_core_record_change_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
    )

    id: Mapped[BigId]
    register: Mapped[str]
    row_id: Mapped[int]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    action: Mapped[str]
    values: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    actor: Mapped[str]
    at: Mapped[CreatedAt]
