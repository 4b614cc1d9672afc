"""Who did what, when, to what: lines are only ever added."""

from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath


class AuditLine(Base):
    """One change of ``object`` (``run:42``). ``org_path`` decides who may read it; ``data`` has no personal data."""

    __tablename__ = "core_audit"
    __table_args__ = (
        Index("ix_core_audit_org_path", "org_path", "id"),
        Index("ix_core_audit_object", "object"),
    )

    id: Mapped[BigId]
    at: Mapped[CreatedAt]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    org_path: Mapped[OrgPath]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")
