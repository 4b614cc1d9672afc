"""Visits, each with what it brought."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, Fen, OrgPath, org_reference
from plugins.four_seasons.base import Base
from plugins.four_seasons.words import GIFTS


class Visit(Base):
    """A visit (走访慰问) of a union: to one worker on file, or to a unit by its name, or at a post of summer.

    ``visited_on`` is its day, ``party`` who went (``leader_id`` the leader among them), ``gift`` what goods were
    brought, worth ``amount_fen``. Either it is spent from the budget line, with its entry, or it brought ``quantity``
    from a lot in stock, which was spent when it was bought; ``key`` is then what tells the same visit sent twice.

    It is never changed; since ``undone_on`` it does not stand any more, and ``reversal_id`` is the entry that undid its
    own. ``activity_id`` is its line of the work ledger (no plugin's table points there).
    """

    __tablename__ = "four_seasons_visit"
    __table_args__ = (
        org_reference(),
        ForeignKeyConstraint(
            ["lot_id", "program_year_id", "org_id"],
            ["four_seasons_lot.id", "four_seasons_lot.program_year_id", "four_seasons_lot.org_id"],
        ),
        CheckConstraint(f"kind IN {GIFTS}", name="kind"),
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("(person_id IS NULL) <> (unit = '')", name="whom"),
        CheckConstraint("post_id IS NULL OR unit <> ''", name="post"),
        CheckConstraint("visited_on <= (created_at AT TIME ZONE 'Asia/Shanghai')::date", name="visited_on"),
        CheckConstraint("(entry_id IS NULL) <> (lot_id IS NULL)", name="paid"),
        CheckConstraint(
            "(lot_id IS NULL) = (quantity IS NULL) AND (lot_id IS NULL) = (key IS NULL)"
            " AND (quantity IS NULL OR quantity > 0 AND kind = 'goods')",
            name="stock",
        ),
        CheckConstraint(
            "(reversal_id IS NULL OR lot_id IS NULL)"
            " AND (lot_id IS NOT NULL OR (reversal_id IS NULL) = (undone_on IS NULL))",
            name="undone",
        ),
        UniqueConstraint("program_year_id", "key"),
        Index("ix_four_seasons_visit_org_path", "program_year_id", "org_path", "id"),
        Index("ix_four_seasons_visit_person_id", "person_id", postgresql_where="person_id IS NOT NULL"),
        Index("ix_four_seasons_visit_lot_id", "lot_id", postgresql_where="lot_id IS NOT NULL"),
        Index("ix_four_seasons_visit_post_id", "post_id", postgresql_where="post_id IS NOT NULL"),
        Index("ix_four_seasons_visit_leader_id", "leader_id", postgresql_where="leader_id IS NOT NULL"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"))
    unit: Mapped[str] = mapped_column(server_default="")
    post_id: Mapped[int | None] = mapped_column(ForeignKey("four_seasons_post.id"))
    leader_id: Mapped[int | None] = mapped_column(ForeignKey("four_seasons_leader.id"))
    visited_on: Mapped[date]
    party: Mapped[str]
    kind: Mapped[str]
    gift: Mapped[str] = mapped_column(server_default="")
    source: Mapped[str]
    amount_fen: Mapped[Fen]
    lot_id: Mapped[int | None]
    quantity: Mapped[int | None]
    key: Mapped[str | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    activity_id: Mapped[int]
    reversal_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    undone_on: Mapped[date | None]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
