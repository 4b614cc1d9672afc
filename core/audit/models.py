"""Who did what, when, to what, from where: lines are only ever added, and sealed block by block."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Text
from sqlalchemy.dialects.postgresql import INT8MULTIRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, OrgPath, appended_by_all


class AuditLine(Base):
    """One change of ``object`` (``run:42``), or one look at it. ``data`` has no personal data.

    ``org_path`` decides who may read it, and stays as it was when the line was written; ``acting_path`` is the union of
    whoever acted. ``reference`` is the number of the request, as in the log and on error pages, or the job
    (``job:42``); ``address`` where the request came from.
    """

    __tablename__ = "core_audit"
    __table_args__ = (
        Index("ix_core_audit_org_path", "org_path", "id"),
        Index("ix_core_audit_object", "object"),
        Index("ix_core_audit_at", "at", "id"),
        Index("ix_core_audit_user_id", "user_id", "at", "id"),
        Index("ix_core_audit_shown", "user_id", "at", postgresql_where="action = 'people.numbers_shown'"),
        {"info": appended_by_all()},
    )

    id: Mapped[BigId]
    at: Mapped[CreatedAt]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    actor: Mapped[str]
    action: Mapped[str]
    object: Mapped[str]
    org_path: Mapped[OrgPath]
    reference: Mapped[str | None]
    address: Mapped[str | None]
    acting_path: Mapped[str | None] = mapped_column(Text(collation="C"))
    program_year_id: Mapped[int | None]
    data: Mapped[dict[str, Any]] = mapped_column(server_default="{}")


class AuditSeal(Base):
    """A block of lines (their ids in ``lines``) that stays as it is; its digest holds that of the one before.

    ``prints`` are the first eight bytes of each line's digest, in order, so that a line that was changed can be named.
    ``last_id`` is the highest of this and all blocks before it. Lower ones that are still missing come late from
    transactions before ``next_xid`` of this very server (``system``), or never. None is missing up to ``settled``.
    """

    __tablename__ = "core_audit_seal"
    __table_args__ = (Index("ix_core_audit_seal_last_id", "last_id"), {"info": appended_by_all()})

    no: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    lines: Mapped[list[Range[int]]] = mapped_column(INT8MULTIRANGE)
    last_id: Mapped[int]
    settled: Mapped[int]
    count: Mapped[int]
    prints: Mapped[bytes]
    system: Mapped[int]
    next_xid: Mapped[int]
    sealed_at: Mapped[datetime]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
