"""Aid centres (困难职工援助中心) and service stations (职工服务站点): the network of help."""

from datetime import date
from decimal import Decimal

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Numeric, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, OrgPath, org_reference
from plugins.hardship_aid.base import Base
from plugins.hardship_aid.centres.words import FUNCTIONS, KINDS

#: Where China lies, in degrees: west, east, south, north.
WEST, EAST, SOUTH, NORTH = 73, 136, 3, 54


class Centre(Base):
    """A place of the union where workers are helped; it stays from year to year.

    It is there from ``opened_on`` to ``closed_on``, both days included, or until somebody closes it. ``longitude`` and
    ``latitude`` are degrees (WGS 84, millionths kept), both or none. ``functions`` are what it offers, codes of
    ``words.FUNCTIONS``; ``checked_on`` is when that was last looked at. ``phone`` is the office's, no person's.
    """

    __tablename__ = "hardship_aid_centre"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"kind IN {tuple(KINDS)}", name="kind"),
        CheckConstraint("name <> ''", name="name"),
        CheckConstraint("closed_on >= opened_on", name="closed_on"),
        CheckConstraint("num_nonnulls(longitude, latitude) IN (0, 2)", name="place"),
        CheckConstraint(
            f"longitude BETWEEN {WEST} AND {EAST} AND latitude BETWEEN {SOUTH} AND {NORTH}", name="in_china"
        ),
        CheckConstraint(f"functions <@ ARRAY{list(FUNCTIONS)}", name="functions"),
        UniqueConstraint("sponsor_id", "org_id", "name"),
        Index("ix_hardship_aid_centre_org_path", "sponsor_id", "org_path", "id"),
    )

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    kind: Mapped[str]
    name: Mapped[str]
    address: Mapped[str] = mapped_column(server_default="")
    phone: Mapped[str] = mapped_column(server_default="")
    opened_on: Mapped[date]
    closed_on: Mapped[date | None]
    longitude: Mapped[Decimal | None] = mapped_column(Numeric(9, 6))
    latitude: Mapped[Decimal | None] = mapped_column(Numeric(8, 6))
    functions: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    checked_on: Mapped[date | None]
    created_at: Mapped[CreatedAt]
