"""The hardship list of a program year, and its targets."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, OrgPath, org_reference
from plugins.four_seasons.base import Base
from plugins.four_seasons.words import CATEGORIES


class Hardship(Base):
    """One worker on the hardship list (困难职工名单) of a program year, under the union that answers for them.

    ``category`` is deep, relative or accidental (深度困难, 相对困难, 意外致困).
    """

    __tablename__ = "four_seasons_hardship"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"category IN {CATEGORIES}", name="category"),
        UniqueConstraint("program_year_id", "person_id"),
        Index("ix_four_seasons_hardship_org_path", "program_year_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    category: Mapped[str]
    cause: Mapped[str]
    created_at: Mapped[CreatedAt]


class Target(Base):
    """How many workers a union is to reach in a program year (目标任务), and its ``points``, where the sponsor's money
    is allotted by them; 0 while nobody has set it.
    """

    __tablename__ = "four_seasons_target"
    __table_args__ = (
        org_reference(),
        CheckConstraint("workers >= 0", name="workers"),
        CheckConstraint("points >= 0", name="points"),
        UniqueConstraint("program_year_id", "org_id"),
        Index("ix_four_seasons_target_org_path", "program_year_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    workers: Mapped[int] = mapped_column(server_default="0")
    points: Mapped[int] = mapped_column(server_default="0")
