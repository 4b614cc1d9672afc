"""Applications for study aid: the student, the parent, the school, and where the application stands."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import CreatedAt, FlowColumns, YearColumns, org_reference
from plugins.four_seasons.autumn.words import BASES, LEVELS, OTHER_AID
from plugins.four_seasons.base import Base

#: What has happened by the day on which it was written down.
_NOT_AHEAD = "<= (created_at AT TIME ZONE 'Asia/Shanghai')::date"


def _one_of(column: str, codes: Iterable[str]) -> str:
    return f"{column} IN {tuple(codes)}"


class Application(YearColumns, FlowColumns, Base):
    """An application for study aid (助学申请) of the student ``person_id``, one in a program year.

    ``parent`` is how the parent (a worker) was named, as :class:`ParentField` keeps it; ``parent_id`` is who that was
    then, which a trigger finds out (migration 0008): the parent may be of a union that whoever writes does not see.
    ``basis`` is what was applied for: as the child of a worker on the hardship file, or not. ``other_aid`` is what the
    student gets besides. ``renewed``: taken over from the year before. That ``applied_on`` is not after the closing
    date of the year, the trigger sees to as well.
    """

    __tablename__ = "four_seasons_application"
    __table_args__ = (
        org_reference(),
        CheckConstraint(_one_of("basis", BASES), name="basis"),
        CheckConstraint(_one_of("level", LEVELS), name="level"),
        CheckConstraint(_one_of("other_aid", OTHER_AID), name="other_aid"),
        CheckConstraint("parent_id <> person_id", name="parent_id"),
        CheckConstraint(f"admitted_on {_NOT_AHEAD}", name="admitted_on"),
        CheckConstraint("graduates_on > admitted_on", name="graduates_on"),
        CheckConstraint(f"applied_on {_NOT_AHEAD}", name="applied_on"),
        UniqueConstraint("program_year_id", "person_id"),
        Index("ix_four_seasons_application_org_path", "program_year_id", "org_path", "id"),
        Index("ix_four_seasons_application_waiting", "program_year_id", "state", "at_level", "org_path"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), index=True)
    parent: Mapped[str] = mapped_column(server_default="")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("core_person.id"), index=True)
    basis: Mapped[str] = mapped_column(server_default="difficult")
    level: Mapped[str]
    school: Mapped[str]
    admitted_on: Mapped[date]
    graduates_on: Mapped[date]
    other_aid: Mapped[str] = mapped_column(server_default="none")
    applied_on: Mapped[date]
    renewed: Mapped[bool] = mapped_column(server_default="false")
    created_at: Mapped[CreatedAt]
