"""Files of workers in hardship, and the members of their households."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, Fen, FlowColumns, OrgPath, org_reference
from plugins.hardship_aid.base import Base
from plugins.hardship_aid.words import BARRIERS, CAUSES, HEADS, HEALTH, OUTCOMES, RELATIONS, WORKERS


def one_of(column: str, codes: Iterable[str]) -> str:
    """The condition that a column holds one of the codes of a table of words."""
    return f"{column} IN {tuple(codes)}"


class File(FlowColumns, Base):
    """The file of a worker in hardship (困难职工档案): one for life, also of somebody who left and came back.

    ``household_size`` counts those who live together, the worker included; ``income_fen``, ``rigid_fen`` (刚性支出) and
    ``loss_fen`` (what an accident cost after compensation, insurance and relief) are those of the household in a year.
    ``head`` says who the head of the household is (户主), by ``head_name`` where it is not the worker. ``barrier``
    keeps a household off the file.

    ``visited_on`` is the day of the visit to the household (入户核查) and ``visitors`` who went; ``compared_on`` is
    when what it says was last compared with outside data (信息比对).

    ``computed`` is what the rule of ``computed_year`` came to with ``line_fen`` (a head and month), one of
    ``words.OUTCOMES``; ``decided`` what people decided against it, and why. ``checked_on`` is when the household was
    last looked at.
    """

    __tablename__ = "hardship_aid_file"
    __table_args__ = (
        org_reference(),
        CheckConstraint(one_of("worker", WORKERS), name="worker"),
        CheckConstraint(f"{one_of('head', HEADS)} AND (head = 'self') = (head_name = '')", name="head"),
        CheckConstraint("household_size BETWEEN 1 AND 30", name="household_size"),
        CheckConstraint("income_fen >= 0 AND rigid_fen >= 0 AND loss_fen >= 0", name="amounts"),
        CheckConstraint(one_of("cause", CAUSES), name="cause"),
        CheckConstraint(one_of("barrier", BARRIERS), name="barrier"),
        CheckConstraint(one_of("computed", OUTCOMES), name="computed"),
        CheckConstraint("num_nonnulls(computed, computed_year, line_fen) IN (0, 3)", name="computed_year"),
        CheckConstraint("visited_on <= CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date)", name="visited_on"),
        CheckConstraint(f"decided IS NULL OR {one_of('decided', OUTCOMES)} AND decided_because <> ''", name="decided"),
        Index("ix_hardship_aid_file_org_path", "sponsor_id", "org_path", "id"),
        Index("ix_hardship_aid_file_waiting", "sponsor_id", "state", "at_level", "org_path"),
    )

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), unique=True)
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    worker: Mapped[str]
    household_size: Mapped[int]
    head: Mapped[str]
    head_name: Mapped[str] = mapped_column(server_default="")
    income_fen: Mapped[Fen]
    rigid_fen: Mapped[Fen]
    loss_fen: Mapped[Fen] = mapped_column(server_default="0")
    cause: Mapped[str]
    cause_note: Mapped[str] = mapped_column(server_default="")
    barrier: Mapped[str] = mapped_column(server_default="none")
    applied_on: Mapped[date]
    visited_on: Mapped[date | None]
    visitors: Mapped[str] = mapped_column(server_default="")
    compared_on: Mapped[date | None]
    checked_on: Mapped[date | None]
    computed: Mapped[str | None]
    computed_year: Mapped[int | None]
    line_fen: Mapped[int | None]
    decided: Mapped[str | None]
    decided_because: Mapped[str] = mapped_column(server_default="")
    created_at: Mapped[CreatedAt]


class Member(Base):
    """Somebody who lives together with the worker ``person_id``, whose file it is of; ``income_fen`` is a year's."""

    __tablename__ = "hardship_aid_member"
    __table_args__ = (
        org_reference(),
        CheckConstraint(one_of("relation", RELATIONS), name="relation"),
        CheckConstraint(one_of("health", HEALTH), name="health"),
        CheckConstraint("income_fen >= 0", name="income"),
        Index("ix_hardship_aid_member_org_path", "sponsor_id", "org_path", "id"),
        Index("ix_hardship_aid_member_name", "person_id", "name", "born_on", unique=True),
        Index("ix_hardship_aid_member_born_on", "born_on", "name"),
    )

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("hardship_aid_file.person_id", onupdate="CASCADE"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    relation: Mapped[str]
    born_on: Mapped[date]
    health: Mapped[str] = mapped_column(server_default="healthy")
    school: Mapped[str] = mapped_column(server_default="")
    income_fen: Mapped[Fen] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]
