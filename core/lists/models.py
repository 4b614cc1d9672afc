"""What users keep for the lists that they work with."""

from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, of_user


class ListView(Base):
    """One user's columns of a list (``name`` empty), or filters that they gave a name.

    ``filters`` are the arguments of the address, a list of texts each; no person is named in them by number.
    """

    __tablename__ = "core_list_view"
    __table_args__ = (UniqueConstraint("user_id", "listing", "name"), {"info": of_user()})

    id: Mapped[BigId]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    listing: Mapped[str]
    name: Mapped[str] = mapped_column(server_default="")
    columns: Mapped[list[Any]] = mapped_column(server_default="[]")
    filters: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
    sort: Mapped[str] = mapped_column(server_default="")
