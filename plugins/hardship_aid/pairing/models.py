"""Pairs of leaders and workers in hardship (结对帮扶), and the visits that come of them."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, Fen, OrgPath, YearColumns, org_reference
from plugins.hardship_aid.base import Base
from plugins.hardship_aid.pairing.words import RANKS

#: What has happened by the day on which it was written down.
_NOT_AHEAD = "<= (created_at AT TIME ZONE 'Asia/Shanghai')::date"


class Pair(Base):
    """A leader who looks after the worker ``person_id``, whose file it is of; it stays from year to year.

    The leader is told by ``leader`` (the name), ``post`` and ``unit`` at the union of the worker. The pair stands from
    ``paired_on`` to ``ended_on``, both days included, or until somebody ends it.
    """

    __tablename__ = "hardship_aid_pair"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"rank IN {tuple(RANKS)}", name="rank"),
        CheckConstraint("leader <> '' AND post <> '' AND unit <> ''", name="leader"),
        CheckConstraint(f"paired_on {_NOT_AHEAD}", name="paired_on"),
        CheckConstraint("ended_on >= paired_on", name="ended_on"),
        UniqueConstraint("person_id", "leader", "post", "unit"),
        Index("ix_hardship_aid_pair_org_path", "sponsor_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("hardship_aid_file.person_id", onupdate="CASCADE"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    leader: Mapped[str]
    post: Mapped[str]
    unit: Mapped[str]
    rank: Mapped[str]
    paired_on: Mapped[date]
    ended_on: Mapped[date | None]
    created_at: Mapped[CreatedAt]


class PairVisit(YearColumns, Base):
    """A visit that a ``leader`` paid to the worker whom a pair names, on a day of the program year's calendar year.

    ``gift_fen`` is what was brought is worth; it is told here and posted nowhere. That a pair with the leader's name
    stood on the day, and that the day lies in the year, a trigger sees to (migration 0005).
    """

    __tablename__ = "hardship_aid_pair_visit"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"visited_on {_NOT_AHEAD}", name="visited_on"),
        CheckConstraint("gift_fen >= 0", name="gift"),
        UniqueConstraint("person_id", "leader", "visited_on"),
        Index("ix_hardship_aid_pair_visit_org_path", "program_year_id", "org_path", "id"),
        Index("ix_hardship_aid_pair_visit_person_id", "program_year_id", "person_id", "leader"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("hardship_aid_file.person_id", onupdate="CASCADE"))
    leader: Mapped[str]
    visited_on: Mapped[date]
    note: Mapped[str] = mapped_column(server_default="")
    gift_fen: Mapped[Fen] = mapped_column(server_default="0")
    created_at: Mapped[CreatedAt]
