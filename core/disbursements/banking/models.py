"""What came of the payments: return files, the result of each line, and what was handed out by hand."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, Fen, OrgPath, of_user, org_reference, through

#: ``reading`` until a worker has read it; then every line of it is taken over, or none.
RETURN_STATES = ("reading", "refused", "taken")
#: What a line comes to in the end. One that is pending at the bank has no result yet.
RESULTS = ("paid", "failed")
#: ``aside``: no file, but lines that we set aside ourselves before any file was written.
RETURN_KINDS = ("bank", "aside")


class BankReturn(Base):
    """A return file (回盘文件) of a run. ``digest`` is the SHA-256 of its bytes: one file counts once for a run.

    One of the kind ``aside`` is none: it stands for lines that were set aside (``aside.py``), with their digest.

    ``org_path`` is the part of the run that its sender answers for. ``said`` is why it was refused as a whole, in the
    sender's ``language``; ``faults`` counts the cells that are wrong. ``paid`` and ``failed`` are what was new in it,
    ``total_fen`` of what failed.
    """

    __tablename__ = "core_bank_return"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"state IN {RETURN_STATES}", name="state"),
        CheckConstraint(f"kind IN {RETURN_KINDS}", name="kind"),
        Index("uq_core_bank_return_digest", "run_id", "digest", unique=True, postgresql_where="state <> 'refused'"),
        {"info": of_user()},
    )

    id: Mapped[BigId]
    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    digest: Mapped[bytes]
    language: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default="bank")
    state: Mapped[str] = mapped_column(server_default="reading")
    said: Mapped[str | None]
    faults: Mapped[int] = mapped_column(server_default="0")
    lines: Mapped[int] = mapped_column(server_default="0")
    paid: Mapped[int] = mapped_column(server_default="0")
    failed: Mapped[int] = mapped_column(server_default="0")
    total_fen: Mapped[Fen] = mapped_column(server_default="0")
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    read_at: Mapped[datetime | None]


class ReturnFault(Base):
    """One cell of a return file that is wrong: ``line`` as Excel counts, ``field`` and ``code`` as in ``faults.py``."""

    __tablename__ = "core_bank_return_fault"
    __table_args__ = ({"info": through("return_id", "core_bank_return")},)

    return_id: Mapped[int] = mapped_column(ForeignKey("core_bank_return.id"), primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    line: Mapped[int]
    field: Mapped[str]
    code: Mapped[str]
    said: Mapped[str]


class PaymentResult(Base):
    """What one payment came to, for good; only added. ``return_id`` is the file that said so, none of a cash list.

    No foreign key to the payment, as it would be checked row by row: a trigger looks whole statements up.
    """

    __tablename__ = "core_payment_result"
    __table_args__ = (
        CheckConstraint(f"state IN {RESULTS}", name="state"),
        Index("ix_core_payment_result_failed", "run_id", "return_id", postgresql_where="state = 'failed'"),
        {"info": through(("run_id", "payee_id"), "core_payment", ("run_id", "payee_id"))},
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    reason: Mapped[str]
    on_day: Mapped[date]
    return_id: Mapped[int | None]


class HandOut(Base):
    """What one union handed out by a list of cash or goods: said by one user, confirmed by another.

    ``absent`` are the payee ids of those who did not come, whose lines are returned. Until it is confirmed it can be
    said anew.
    """

    __tablename__ = "core_hand_out"
    __table_args__ = (
        org_reference(),
        CheckConstraint("confirmed_by <> recorded_by", name="two_people"),
        CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name="confirmed"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(primary_key=True)
    org_path: Mapped[OrgPath]
    on_day: Mapped[date]
    absent: Mapped[list[Any]]
    recorded_by: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    recorded_at: Mapped[CreatedAt]
    confirmed_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    confirmed_at: Mapped[datetime | None]


class Statement(Base):
    """A bank statement (对账单) of a union's account; one file counts once for a union."""

    __tablename__ = "core_statement"
    __table_args__ = (org_reference(), UniqueConstraint("org_id", "digest"))

    id: Mapped[BigId]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    digest: Mapped[bytes]
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]


class StatementLine(Base):
    """One line of a statement; ``fen`` is negative where money went out.

    ``run_id`` says whose bank file it paid, as a whole, and ``matched_by`` who said so (none: found by itself).
    """

    __tablename__ = "core_statement_line"
    __table_args__ = (
        CheckConstraint("run_id IS NULL OR fen < 0", name="matched"),
        ForeignKeyConstraint(["run_id", "org_id"], ["core_run_chunk.run_id", "core_run_chunk.org_id"]),
        Index("uq_core_statement_line_run_id", "run_id", "org_id", unique=True, postgresql_where="run_id IS NOT NULL"),
        {"info": through("statement_id", "core_statement")},
    )

    statement_id: Mapped[int] = mapped_column(ForeignKey("core_statement.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    on_day: Mapped[date]
    fen: Mapped[Fen]
    counterparty: Mapped[str]
    text: Mapped[str]
    run_id: Mapped[int | None]
    matched_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    matched_at: Mapped[datetime | None]
