"""The leaders who visit in winter."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped

from core.api import CreatedAt, YearColumns, org_reference
from plugins.four_seasons.base import Base


class Leader(YearColumns, Base):
    """A leader of a union (工会领导) who visits enterprises and workers in hardship in a program year."""

    __tablename__ = "four_seasons_leader"
    __table_args__ = (
        org_reference(),
        CheckConstraint("name <> '' AND position <> ''", name="named"),
        UniqueConstraint("program_year_id", "org_id", "name", "position"),
        Index("ix_four_seasons_leader_org_path", "program_year_id", "org_path", "id"),
    )

    name: Mapped[str]
    position: Mapped[str]
    created_at: Mapped[CreatedAt]
