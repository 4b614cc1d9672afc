"""Runs of a scheme and their payments: who gets how much, from the computing to the bank file.

draft -> computing -> computed -> (notice) -> submitted -> approved -> posted -> sent; failed and cancelled on the way.

``Candidate`` holds one computing of the scheme; ``Payment`` and ``Exclusion`` share it out, so that candidates = paid +
excluded. A chunk is the part of a run that one union pays from its own budget line.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import Base, BigId, CreatedAt, Fen, OrgPath, org_reference
from core.ledger.models import SOURCES, UNION_FUNDS

STATES = (
    "draft",
    "computing",
    "computed",
    "notice",
    "submitted",
    "approved",
    "posted",
    "sent",
    "cancelled",
    "failed",
)


class Run(Base):
    """One computing of a scheme (发放批次), from draft to sent. ``org_path`` is the subtree that it pays in.

    ``round`` counts how often it was submitted: a returned run is decided anew. ``settings`` is the snapshot that it
    was computed with; ``item`` names the benefit that nobody gets twice in a
    program year; ``source`` the one source of money that it spends, which never changes. Totals are filled in when the
    run has been computed.
    """

    __tablename__ = "core_run"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"source IN {SOURCES}", name="source"),
        CheckConstraint("candidates = paid + excluded", name="coverage"),
        UniqueConstraint("id", "program_year_id", "item"),
        Index("ix_core_run_program_year_id", "program_year_id", "id"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    scheme: Mapped[str]
    item: Mapped[str]
    source: Mapped[str] = mapped_column(server_default=UNION_FUNDS)
    title: Mapped[str]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    state: Mapped[str] = mapped_column(server_default="draft")
    settings: Mapped[dict[str, Any]]
    settings_version: Mapped[int]
    candidates: Mapped[int] = mapped_column(server_default="0")
    paid: Mapped[int] = mapped_column(server_default="0")
    excluded: Mapped[int] = mapped_column(server_default="0")
    total_fen: Mapped[Fen] = mapped_column(server_default="0")
    error: Mapped[str | None]
    created_by: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
    computed_at: Mapped[datetime | None]
    notice_from: Mapped[date | None]
    notice_until: Mapped[date | None]
    round: Mapped[int] = mapped_column(server_default="0")
    approvals_needed: Mapped[int | None]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    posted_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    posted_at: Mapped[datetime | None]
    effective_on: Mapped[date | None]


class RunChunk(Base):
    """The part of a run that one union pays. ``digest`` seals its payments; the entry carries it into the chain.

    ``stale`` marks a former result that is about to be computed anew.
    """

    __tablename__ = "core_run_chunk"
    __table_args__ = (
        org_reference(),
        CheckConstraint("state IN ('stale', 'reserved', 'filled')", name="state"),
        CheckConstraint("candidates = paid + excluded", name="coverage"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(primary_key=True)
    org_path: Mapped[OrgPath]
    state: Mapped[str] = mapped_column(server_default="reserved")
    candidates: Mapped[int]
    paid: Mapped[int]
    excluded: Mapped[int]
    total_fen: Mapped[Fen]
    digest: Mapped[bytes | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"))


class Candidate(Base):
    """One person whom a scheme named, while its run is being computed; gone when the run is computed.

    All chunks read this one answer of the scheme, so that what changes meanwhile cannot split the run in two.
    """

    __tablename__ = "core_run_candidate"

    run_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_org_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    amount_fen: Mapped[Fen | None]
    basis: Mapped[str]
    exclude_reason: Mapped[str | None]


class Payment(Base):
    """One payee's line in a run (发放明细). Name and account tail are frozen here when the run is approved.

    The unique index is promise 1: one benefit per person, program year and item. A line the bank refused is
    ``returned`` and makes room for another.
    """

    __tablename__ = "core_payment"
    __table_args__ = (
        org_reference(),
        ForeignKeyConstraint(
            ["run_id", "program_year_id", "item"],
            ["core_run.id", "core_run.program_year_id", "core_run.item"],
        ),
        CheckConstraint("amount_fen > 0", name="amount"),
        Index(
            "uq_core_payment_person_item",
            "person_id",
            "program_year_id",
            "item",
            unique=True,
            postgresql_where="NOT returned",
        ),
        Index("ix_core_payment_run_id", "run_id", "org_path", "person_id"),
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), primary_key=True)
    program_year_id: Mapped[int]
    item: Mapped[str]
    chunk_org_id: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    amount_fen: Mapped[Fen]
    basis: Mapped[str]
    payee_name: Mapped[str]
    account_tail: Mapped[str]
    returned: Mapped[bool] = mapped_column(server_default="false")


class Exclusion(Base):
    """One candidate who is not paid by a run, and why: a reason code, and words where the code is not enough."""

    __tablename__ = "core_exclusion"
    __table_args__ = (
        org_reference(),
        ForeignKeyConstraint(["run_id"], ["core_run.id"]),
        Index("ix_core_exclusion_run_id", "run_id", "org_path", "person_id"),
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("core_person.id"), primary_key=True)
    chunk_org_id: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")


class RunApproval(Base):
    """One decision on a run. Nobody decides twice in a round, and nobody decides on their own run."""

    __tablename__ = "core_run_approval"

    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"), primary_key=True)
    approved: Mapped[bool]
    comment: Mapped[str]
    at: Mapped[CreatedAt]


class BankFile(Base):
    """A file of payments handed to one union's bank, with its control totals and digest."""

    __tablename__ = "core_bank_file"
    __table_args__ = (org_reference(), Index("ix_core_bank_file_org_path", "org_path", "run_id"))

    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(primary_key=True)
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    lines: Mapped[int]
    total_fen: Mapped[Fen]
    digest: Mapped[bytes]
    created_at: Mapped[CreatedAt]
