"""Summer: posts in the heat, and the visits that are planned."""

from datetime import date

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import CreatedAt, Fen, YearColumns, org_reference
from plugins.four_seasons.base import Base


class Post(YearColumns, Base):
    """A post in the heat or on the front line (高温岗位、一线岗位) at the enterprise or unit ``unit``.

    ``temperature`` is what was last measured there, in whole degrees Celsius rounded down. ``visits`` counts those that
    stand: they are kept beside the visits, as a union above may have paid one that the post's union does not see.
    """

    __tablename__ = "four_seasons_post"
    __table_args__ = (
        org_reference(),
        CheckConstraint("unit <> '' AND post <> ''", name="named"),
        CheckConstraint("workers > 0", name="workers"),
        CheckConstraint("temperature BETWEEN 0 AND 80", name="temperature"),
        CheckConstraint("visits >= 0", name="visits"),
        UniqueConstraint("program_year_id", "org_id", "unit", "post"),
        Index("ix_four_seasons_post_org_path", "program_year_id", "org_path", "id"),
    )

    unit: Mapped[str]
    post: Mapped[str]
    workers: Mapped[int]
    temperature: Mapped[int]
    measured_on: Mapped[date]
    visits: Mapped[int] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]


class VisitPlan(YearColumns, Base):
    """A visit that is planned (走访计划): where to, on which day, and what the union is to spend on it."""

    __tablename__ = "four_seasons_visit_plan"
    __table_args__ = (
        org_reference(),
        CheckConstraint("unit <> ''", name="unit"),
        CheckConstraint("amount_fen > 0", name="amount"),
        UniqueConstraint("program_year_id", "org_id", "unit", "post", "planned_on"),
        Index("ix_four_seasons_visit_plan_org_path", "program_year_id", "org_path", "id"),
    )

    unit: Mapped[str]
    post: Mapped[str] = mapped_column(server_default="")
    planned_on: Mapped[date]
    amount_fen: Mapped[Fen]
    source: Mapped[str]
    created_at: Mapped[CreatedAt]
