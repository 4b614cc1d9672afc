"""Requests that another union take over a worker in hardship with the file (转移)."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.api import BigId, CreatedAt, OrgPath, org_reference, through
from plugins.hardship_aid.base import Base
from plugins.hardship_aid.files.models import one_of
from plugins.hardship_aid.transfers.words import STATES


class Transfer(Base):
    """A request to move the file of the worker ``person_id`` from one union to another, which decides about it.

    ``org_id`` is the receiving union and ``from_org_id`` the one that asked. The one sees the row because it lies
    there, the other because it sees the file, until that has moved. ``answer`` is why it was declined. ``decided_at``
    (UTC) is set once it is no longer open.
    """

    __tablename__ = "hardship_aid_transfer"
    __table_args__ = (
        org_reference(),
        org_reference("from_org_id", "from_org_path"),
        CheckConstraint(one_of("state", STATES), name="state"),
        CheckConstraint("org_id <> from_org_id", name="another"),
        CheckConstraint("reason <> ''", name="reason"),
        CheckConstraint("state <> 'declined' OR answer <> ''", name="answer"),
        CheckConstraint("(state = 'open') = (decided_at IS NULL)", name="decided"),
        Index("uq_hardship_aid_transfer_open", "person_id", unique=True, postgresql_where="state = 'open'"),
        Index("ix_hardship_aid_transfer_person_id", "person_id", "id"),
        Index("ix_hardship_aid_transfer_org_path", "sponsor_id", "org_path", "id"),
        Index("ix_hardship_aid_transfer_from_org_path", "sponsor_id", "from_org_path", "id"),
        {"info": through("person_id", "hardship_aid_file", "person_id")},
    )

    id: Mapped[BigId]
    sponsor_id: Mapped[int] = mapped_column(ForeignKey("core_org.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("hardship_aid_file.person_id", onupdate="CASCADE"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    from_org_id: Mapped[int]
    from_org_path: Mapped[OrgPath]
    reason: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="open")
    answer: Mapped[str] = mapped_column(server_default="")
    asked_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    decided_at: Mapped[datetime | None]
