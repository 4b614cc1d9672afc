"""Spring: what each union is to reach, the employers that offer jobs, and the workers who were placed."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import CreatedAt, YearColumns, org_reference
from plugins.four_seasons.base import Base
from plugins.four_seasons.words import JOB_FORMS, JOB_WAYS


class SpringTarget(YearColumns, Base):
    """How many employers a union is to bring, and how many workers it is to place, in a program year (目标任务)."""

    __tablename__ = "four_seasons_spring_target"
    __table_args__ = (
        org_reference(),
        CheckConstraint("employers >= 0 AND placed >= 0", name="numbers"),
        UniqueConstraint("program_year_id", "org_id"),
        Index("ix_four_seasons_spring_target_org_path", "program_year_id", "org_path", "id"),
    )

    employers: Mapped[int] = mapped_column(server_default="0")
    placed: Mapped[int] = mapped_column(server_default="0")


class Employer(YearColumns, Base):
    """An employer (用人单位) that a union brought, with how many ``posts``; ``form`` is where they were offered."""

    __tablename__ = "four_seasons_employer"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"form IN {tuple(JOB_FORMS)}", name="form"),
        CheckConstraint("posts > 0", name="posts"),
        UniqueConstraint("program_year_id", "org_id", "name"),
        Index("ix_four_seasons_employer_org_path", "program_year_id", "org_path", "id"),
    )

    name: Mapped[str]
    posts: Mapped[int]
    form: Mapped[str]
    offered_on: Mapped[date]
    created_at: Mapped[CreatedAt]


class Placement(YearColumns, Base):
    """A worker without a job who found one with the union's help (实现就业再就业): once in a program year."""

    __tablename__ = "four_seasons_placement"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"way IN {tuple(JOB_WAYS)}", name="way"),
        CheckConstraint("placed_on <= (created_at AT TIME ZONE 'Asia/Shanghai')::date", name="placed_on"),
        UniqueConstraint("program_year_id", "person_id"),
        Index("ix_four_seasons_placement_org_path", "program_year_id", "org_path", "id"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), index=True)
    employer: Mapped[str]
    way: Mapped[str]
    placed_on: Mapped[date]
    created_at: Mapped[CreatedAt]
