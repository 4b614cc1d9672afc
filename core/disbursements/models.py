"""Runs of a scheme and their payments: who gets how much, from the computing to the bank file.

draft -> computing -> computed -> (notice) -> submitted -> approved -> posted -> sent -> settled; failed and cancelled
on the way. Cash and goods go from posted to settled: no bank comes between.

``Candidate`` holds one computing of the scheme; ``Payment`` and ``Exclusion`` share it out, so that candidates = paid +
excluded. A chunk is the part of a run that one union pays from its own budget line.

A payee is a person or a union, which the run says. The lines of a run refer to payees, unions and the run without
foreign keys, as these are checked row by row: triggers check whole statements instead, and keep payees from vanishing
(migration 0014).
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from core.database import (
    Base,
    BigId,
    CreatedAt,
    Fen,
    OrgPath,
    digest_of,
    of_nobody,
    org_reference,
    sealed,
    seen_below,
    through,
    through_org,
)
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
    "settled",
    "cancelled",
    "failed",
)
#: Who is paid by a run, and in what: through the bank, in cash, or in goods of that value.
PAYEES = ("people", "orgs")
FORMS = ("bank", "cash", "goods")


class Run(Base):
    """One computing of a scheme (发放批次), from draft to settled. ``org_path`` is the subtree that it pays in.

    ``round`` counts how often it was submitted: a returned run is decided anew. ``stages`` are the stages of its
    approval as pinned then (see ``approvals.Stage``), ``stage`` the one it waits in, from 1; ``band_fen`` is where the
    amount band of their rule begins, none without a rule. ``settings`` is the snapshot that it was computed with;
    ``item`` names the benefit that nobody gets twice in a program year, and ``purpose`` with ``period`` what nobody
    gets twice from any program; ``source`` is the one source of money that it spends, which never changes. Totals are
    filled in when the run has been computed.

    A run that ``follows`` another pays the lines again that came back from that one.
    """

    __tablename__ = "core_run"
    __table_args__ = (
        org_reference(),
        CheckConstraint(f"state IN {STATES}", name="state"),
        CheckConstraint(f"source IN {SOURCES}", name="source"),
        CheckConstraint("candidates = paid + excluded", name="coverage"),
        CheckConstraint(f"payees IN {PAYEES}", name="payees"),
        CheckConstraint(f"form IN {FORMS}", name="form"),
        CheckConstraint("(purpose IS NULL) = (period IS NULL)", name="purpose"),
        Index("ix_core_run_program_year_id", "program_year_id", "id"),
        Index("ix_core_run_follows", "follows", postgresql_where="follows IS NOT NULL"),
        {"info": seen_below()},
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    scheme: Mapped[str]
    item: Mapped[str]
    payees: Mapped[str] = mapped_column(server_default="people")
    form: Mapped[str] = mapped_column(server_default="bank")
    purpose: Mapped[str | None]
    period: Mapped[str | None]
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
    #: Whoever was changed before this, was changed when the scheme was asked.
    asked_at: Mapped[datetime | None]
    computed_at: Mapped[datetime | None]
    notice_from: Mapped[date | None]
    notice_until: Mapped[date | None]
    round: Mapped[int] = mapped_column(server_default="0")
    stages: Mapped[list[Any]] = mapped_column(server_default="[]")
    stage: Mapped[int] = mapped_column(server_default="0")
    band_fen: Mapped[Fen | None]
    submitted_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    submitted_at: Mapped[datetime | None]
    approved_at: Mapped[datetime | None]
    posted_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    posted_at: Mapped[datetime | None]
    effective_on: Mapped[date | None]
    follows: Mapped[int | None] = mapped_column(ForeignKey("core_run.id"))
    digest: Mapped[bytes | None]


class RunChunk(Base):
    """The part of a run that one union pays. ``digest`` seals its blocks; the entry carries it into the chain.

    ``stale`` marks a former result that is about to be computed anew. No ``digest``: lines changed since it was sealed.
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
    """One payee whom a scheme named, while its run is being computed; gone when its chunk is filled.

    All chunks read this one answer of the scheme, so that what changes meanwhile cannot split the run in two. It is not
    logged: a crash of the database takes it, and :func:`core.disbursements.compute.reserve` asks once more.
    """

    __tablename__ = "core_run_candidate"
    __table_args__ = (Index("ix_core_run_candidate_run_id", "run_id", "chunk_org_id"),)

    #: No key in the database: whoever is named twice is found when the chunks are filled.
    run_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_org_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    amount_fen: Mapped[Fen | None]
    quantity: Mapped[int | None]
    basis: Mapped[str]
    exclude_reason: Mapped[str | None]
    note: Mapped[str | None]
    payee_name: Mapped[str | None]
    account_tail: Mapped[str | None]


class Payment(Base):
    """One payee's line in a run (发放明细). Name and account tail are frozen here when the run is submitted.

    The unique indexes are promise 1: one benefit per payee, program year and item, and one per purpose and period
    whatever the program. A line the bank refused is ``returned`` and makes room for another. ``quantity`` counts goods;
    ``amount_fen`` is then what they are worth.
    """

    __tablename__ = "core_payment"
    __table_args__ = (
        CheckConstraint("amount_fen > 0", name="amount"),
        CheckConstraint("quantity > 0", name="quantity"),
        Index(
            "uq_core_payment_payee_item",
            "payee_id",
            "program_year_id",
            "item",
            unique=True,
            postgresql_where="NOT returned",
        ),
        Index(
            "uq_core_payment_payee_purpose",
            "payee_id",
            "purpose",
            "period",
            unique=True,
            postgresql_where="purpose IS NOT NULL AND NOT returned",
        ),
        Index("ix_core_payment_run_id", "run_id", "org_path", "payee_id"),
        Index("ix_core_payment_returned", "run_id", "org_path", "payee_id", postgresql_where="returned"),
    )

    run_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int] = mapped_column(primary_key=True)
    program_year_id: Mapped[int]
    item: Mapped[str]
    chunk_org_id: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    amount_fen: Mapped[Fen]
    quantity: Mapped[int | None]
    basis: Mapped[str]
    payee_name: Mapped[str]
    account_tail: Mapped[str]
    returned: Mapped[bool] = mapped_column(server_default="false")
    purpose: Mapped[str | None]
    period: Mapped[str | None]


class Seal(Base):
    """The digest of up to a thousand payments of a chunk, in the order of their payees (see ``sealing.py``)."""

    __tablename__ = "core_seal"
    __table_args__ = ({"info": through_org("chunk_org_id")},)

    run_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_org_id: Mapped[int] = mapped_column(primary_key=True)
    no: Mapped[int] = mapped_column(primary_key=True)
    first_payee_id: Mapped[int]
    last_payee_id: Mapped[int]
    lines: Mapped[int]
    total_fen: Mapped[Fen]
    digest: Mapped[bytes]


class Exclusion(Base):
    """One candidate who is not paid by a run, and why: a reason code, and words where the code is not enough."""

    __tablename__ = "core_exclusion"
    __table_args__ = (Index("ix_core_exclusion_run_id", "run_id", "org_path", "payee_id"),)

    run_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int] = mapped_column(primary_key=True)
    chunk_org_id: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    reason: Mapped[str]
    note: Mapped[str] = mapped_column(server_default="")


class FormerLine(Base):
    """What the result before said of a payee, kept while the run is computed anew; no amount: not paid."""

    __tablename__ = "core_run_former"
    __table_args__ = ({"info": through_org("org_id")},)

    run_id: Mapped[int] = mapped_column(primary_key=True)
    payee_id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    amount_fen: Mapped[Fen | None]


class OrgAccount(Base):
    """The bank account of a union that is paid like a payee; the number is encrypted as people's are.

    ``account_changed_at`` is kept by the database.
    """

    __tablename__ = "core_org_account"
    __table_args__ = (org_reference(),)

    org_id: Mapped[int] = mapped_column(primary_key=True)
    org_path: Mapped[OrgPath]
    bank_account: Mapped[bytes] = sealed("bank_account")
    bank_account_digest: Mapped[bytes] = digest_of("bank_account", "bank_account")
    bank_account_tail: Mapped[str]
    bank_name: Mapped[str]
    account_changed_at: Mapped[datetime | None]


class RunApproval(Base):
    """One decision on a run. Nobody decides twice in a round, in whatever stage, and nobody on their own run."""

    __tablename__ = "core_run_approval"
    __table_args__ = ({"info": through("run_id", "core_run")},)

    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("core_user.id"), primary_key=True)
    stage: Mapped[int]
    approved: Mapped[bool]
    comment: Mapped[str]
    at: Mapped[CreatedAt]


class ApprovalRule(Base):
    """Who approves the runs of a sponsor and those below it in a year, from ``from_fen`` up to the next rule.

    ``program`` none holds for every program that has no rule of its own. ``stages`` stand in their order, each with
    ``title``, ``level``, ``policy`` and ``n`` as in ``approvals.Stage``.
    """

    __tablename__ = "core_approval_rule"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("year", "org_id", "program", "from_fen", postgresql_nulls_not_distinct=True),
        CheckConstraint("from_fen >= 0", name="band"),
        CheckConstraint("jsonb_typeof(stages) = 'array' AND stages <> '[]'", name="stages"),
        {"info": of_nobody("how many must approve how much; who asks for money must know it")},
    )

    id: Mapped[BigId]
    year: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    program: Mapped[str | None]
    from_fen: Mapped[Fen]
    stages: Mapped[list[Any]]
    created_at: Mapped[CreatedAt]


class BankFile(Base):
    """A file of payments handed to one union's bank, with its control totals and the SHA-256 of its bytes.

    In it are the lines of the union that were not set aside (``banking/aside.py``). ``lines_digest`` says which, in
    whatever order and format: a return file that names it must answer just these (``banking/writing.py``).
    """

    __tablename__ = "core_bank_file"
    __table_args__ = (org_reference(), Index("ix_core_bank_file_org_path", "org_path", "run_id"))

    run_id: Mapped[int] = mapped_column(ForeignKey("core_run.id"), primary_key=True)
    org_id: Mapped[int] = mapped_column(primary_key=True)
    format: Mapped[str] = mapped_column(primary_key=True, server_default="csv")
    org_path: Mapped[OrgPath]
    name: Mapped[str]
    lines: Mapped[int]
    total_fen: Mapped[Fen]
    digest: Mapped[bytes]
    lines_digest: Mapped[bytes | None]
    created_at: Mapped[CreatedAt]
