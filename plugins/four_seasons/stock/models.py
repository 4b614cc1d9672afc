"""Goods in stock (物资), lot by lot."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import CreatedAt, Fen, YearColumns, org_reference
from plugins.four_seasons.base import Base


class Lot(YearColumns, Base):
    """A lot of goods that a union bought from its budget line: ``quantity`` of a ``measure`` (箱), each ``price_fen``.

    ``remaining`` is what was not given out at a visit yet. ``entry_id`` is the entry that spent it and ``activity_id``
    its line of the work ledger (no plugin's table points there); ``reversal_id`` is the entry that undid it, which can
    only be while all of it is there.
    """

    __tablename__ = "four_seasons_lot"
    __table_args__ = (
        org_reference(),
        CheckConstraint("goods <> '' AND measure <> ''", name="named"),
        CheckConstraint("quantity > 0 AND price_fen > 0", name="bought"),
        CheckConstraint("remaining BETWEEN 0 AND quantity", name="remaining"),
        CheckConstraint("reversal_id IS NULL OR remaining = quantity", name="reversed"),
        CheckConstraint("bought_on <= (created_at AT TIME ZONE 'Asia/Shanghai')::date", name="bought_on"),
        UniqueConstraint("id", "program_year_id", "org_id"),  # a visit names its own union's lot of its own year
        Index("ix_four_seasons_lot_org_path", "program_year_id", "org_path", "id"),
    )

    goods: Mapped[str]
    measure: Mapped[str]
    quantity: Mapped[int]
    price_fen: Mapped[Fen]
    remaining: Mapped[int]
    source: Mapped[str]
    supplier: Mapped[str] = mapped_column(server_default="")
    bought_on: Mapped[date]
    entry_id: Mapped[int] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    activity_id: Mapped[int]
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
