"""What files are compared with (比对民政数据): lists from outside, the digests in them, and what was found.

Of a list only keyed digests of the identity numbers stay, never a number or a name. They cannot be made anew: after a
change of the data key a list is uploaded again.
"""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, YearColumns, org_reference, through
from plugins.hardship_aid.base import Base
from plugins.hardship_aid.categories.words import KINDS
from plugins.hardship_aid.files.models import one_of


class OutsideList(YearColumns, Base):
    """A list that a union got from civil affairs or another office; ``content`` is the SHA-256 of the file.

    ``rows`` counts the different pairs of a number and what is said of it.
    """

    __tablename__ = "hardship_aid_outside_list"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("program_year_id", "org_id", "content"),
        Index("ix_hardship_aid_outside_list_org_path", "program_year_id", "org_path", "id"),
    )

    name: Mapped[str]
    content: Mapped[bytes]
    rows: Mapped[int] = mapped_column(server_default="0")
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]


class Outside(Base):
    """That somebody with this identity number is in a list, and as what (``words.KINDS``)."""

    __tablename__ = "hardship_aid_outside"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        {"info": through("list_id", "hardship_aid_outside_list")},
    )

    list_id: Mapped[int] = mapped_column(
        ForeignKey("hardship_aid_outside_list.id", ondelete="CASCADE"), primary_key=True
    )
    digest: Mapped[bytes] = mapped_column(primary_key=True, index=True)
    kind: Mapped[str] = mapped_column(primary_key=True)


class Hit(Base):
    """That the worker of a file is in a list, as ``kind``; it belongs to the file, wherever that goes."""

    __tablename__ = "hardship_aid_hit"
    __table_args__ = (
        CheckConstraint(one_of("kind", KINDS), name="kind"),
        UniqueConstraint("file_id", "list_id", "kind"),
        Index("ix_hardship_aid_hit_program_year_id", "program_year_id", "id"),
        {"info": through("file_id", "hardship_aid_file")},
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    file_id: Mapped[int] = mapped_column(ForeignKey("hardship_aid_file.id", ondelete="CASCADE"))
    list_id: Mapped[int] = mapped_column(ForeignKey("hardship_aid_outside_list.id"), index=True)
    kind: Mapped[str]
    found_on: Mapped[date]
