"""Visits, each with what it brought."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, Fen, OrgPath, org_reference
from plugins.four_seasons.base import Base
from plugins.four_seasons.words import GIFTS


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
