"""The subsistence line (最低生活保障标准) of a year, where a union has one of its own."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from core.api import Fen, YearColumns, org_reference, seen_below
from plugins.hardship_aid.base import Base


class SubsistenceLine(YearColumns, Base):
    """The line at a union and below it, ``monthly_fen`` a head: that of the nearest union above counts.

    Where no union above has one, that of the year's settings does.
    """

    __tablename__ = "hardship_aid_line"
    __table_args__ = (
        org_reference(),
        CheckConstraint("monthly_fen > 0", name="monthly"),
        UniqueConstraint("program_year_id", "org_id"),
        Index("ix_hardship_aid_line_org_path", "program_year_id", "org_path", "id"),
        {"info": seen_below()},  # a county computes with the line of its city
    )

    monthly_fen: Mapped[Fen]
