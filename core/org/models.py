"""The union organisations: one tree by region, and the industry unions as a second axis."""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, OrgPath, Prefixed, of_nobody

#: From the top of the tree to its leaves. A provincial industry union ranks as a city.
LEVELS = ("province", "city", "county", "township", "village", "enterprise")
KINDS = ("regional", "industry", "listed", "enterprise")


class Org(Base):
    """One union organisation (工会组织).

    ``path`` is the codes from the root down, ``/61/6101/610102/``; a subtree is a prefix. ``industry_path`` is the path
    of the industry union that an enterprise or listed unit belongs to, if any.
    """

    __tablename__ = "core_org"
    __table_args__ = (
        UniqueConstraint("id", "path"),
        CheckConstraint(f"level IN {LEVELS}", name="level"),
        CheckConstraint(f"kind IN {KINDS}", name="kind"),
        CheckConstraint("path ~ '^(/[0-9A-Za-z-]+)+/$'", name="path"),
        Index("ix_core_org_parent_id", "parent_id"),
        Index("ix_core_org_industry_path", "industry_path"),
        {"info": of_nobody("the unions themselves: names and places in the tree")},
    )

    id: Mapped[BigId]
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    short_name: Mapped[str]
    pinyin: Mapped[Prefixed]
    initials: Mapped[Prefixed]
    level: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="regional")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("core_org.id"))
    path: Mapped[OrgPath] = mapped_column(unique=True)
    industry_path: Mapped[OrgPath | None]
    active: Mapped[bool] = mapped_column(server_default="true")
