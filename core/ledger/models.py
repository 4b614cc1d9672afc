"""The two books of a program year: the fund ledger (what was spent) and the work ledger (what was done).

Fund ledger rules that stand in the database (see migrations): entries, legs, allotments and activities are only added;
an entry's legs arrive in the transaction of the entry, sum to zero and are at least two; an entry is reversed at most
once; a budget line cannot be overspent, nor an account fall below its floor; nothing is dated in a closed period.
Amounts are whole fen; a debit is positive, a credit negative.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from core.database import Base, BigId, CreatedAt, Fen, OrgPath, appended_by_all, of_nobody, org_reference, through

#: Where money comes from (资金来源): the state's finance, union funds, donations of society, membership dues. They
#: never mix: every line, allotment and run is of one source.
SOURCES = ("finance", "union", "society", "dues")
UNION_FUNDS = "union"
#: Scopes of the entries that bookings of money and runs have; keys are ``year:key:union`` and ``run:...``.
BOOKINGS = ("allotment", "own_funds", "taken_back")
RUNS = ("run", "run-return")


class ChainHead(Base):
    """The newest digest of a book's chain; its row lock puts postings in one order."""

    __tablename__ = "core_chain_head"
    __table_args__ = ({"info": of_nobody("a length and a digest")},)

    book: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(server_default="0")
    digest: Mapped[bytes]


class Book(Base):
    """A book (账簿) with a chain and periods of its own, and one currency; ``title`` is ``{"zh", "en"}``."""

    __tablename__ = "core_book"
    __table_args__ = (UniqueConstraint("code", "currency"), {"info": of_nobody("which books there are")})

    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[dict[str, Any]]
    currency: Mapped[str]


class Account(Base):
    """One account (科目) of one union in one book.

    ``side`` is 1 where debits raise it and -1 where credits do; ``floor_fen`` is the least that it may hold, counted on
    that side, or none. Only an empty account is closed, for good.
    """

    __tablename__ = "core_account"
    __table_args__ = (
        org_reference(),
        ForeignKeyConstraint(["book", "currency"], ["core_book.code", "core_book.currency"]),
        CheckConstraint("side IN (1, -1)", name="side"),
        UniqueConstraint("org_id", "book", "code"),
    )

    id: Mapped[BigId]
    book: Mapped[str]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    code: Mapped[str]
    name: Mapped[str]
    currency: Mapped[str]
    side: Mapped[int]
    floor_fen: Mapped[int | None]
    closed_on: Mapped[date | None]


class AccountBalance(Base):
    """What an account holds, debits minus credits in fen. The database keeps it with every leg; nobody else may."""

    __tablename__ = "core_account_balance"
    __table_args__ = (
        CheckConstraint("floor_fen IS NULL OR side * posted_fen >= floor_fen", name="floor"),
        {"postgresql_with": {"fillfactor": 60}, "info": through("account_id", "core_account")},
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("core_account.id"), primary_key=True)
    side: Mapped[int]
    floor_fen: Mapped[int | None]
    posted_fen: Mapped[Fen] = mapped_column(server_default="0")
    version: Mapped[int] = mapped_column(server_default="0")


class Period(Base):
    """A month of a book. Entries are dated in open ones only; one that is ``closing`` takes none any more."""

    __tablename__ = "core_period"
    __table_args__ = (
        CheckConstraint("extract(day FROM first_on) = 1", name="month"),
        CheckConstraint("state IN ('open', 'closing', 'closed', 'locked')", name="state"),
        {"info": of_nobody("which months are closed")},
    )

    book: Mapped[str] = mapped_column(ForeignKey("core_book.code"), primary_key=True)
    first_on: Mapped[date] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(server_default="open")


class PeriodBalance(Base):
    """What an account held at the end of a closed month, in fen."""

    __tablename__ = "core_period_balance"
    __table_args__ = (
        ForeignKeyConstraint(["book", "first_on"], ["core_period.book", "core_period.first_on"]),
        {"info": through("account_id", "core_account")},
    )

    book: Mapped[str] = mapped_column(primary_key=True)
    first_on: Mapped[date] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("core_account.id"), primary_key=True)
    posted_fen: Mapped[Fen]


class Reopening(Base):
    """One person asks, with a reason, to open a closed period again; another agrees."""

    __tablename__ = "core_reopening"
    __table_args__ = (
        ForeignKeyConstraint(["book", "first_on"], ["core_period.book", "core_period.first_on"]),
        CheckConstraint("agreed_by <> asked_by", name="two_persons"),
        CheckConstraint("(agreed_by IS NULL) = (agreed_at IS NULL)", name="agreed"),
        Index("uq_core_reopening_waiting", "book", "first_on", unique=True, postgresql_where=text("agreed_by IS NULL")),
        {"info": of_nobody("why a month was opened again, and who agreed")},
    )

    id: Mapped[BigId]
    book: Mapped[str]
    first_on: Mapped[date]
    reason: Mapped[str]
    asked_by: Mapped[int] = mapped_column(ForeignKey("core_user.id"))
    asked_at: Mapped[CreatedAt]
    agreed_by: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    agreed_at: Mapped[datetime | None]


class Entry(Base):
    """One journal entry (凭证), chained to the one before it in its book by ``digest``.

    ``scope`` and ``key`` make posting idempotent: ``("run", "42:17")``. ``kind`` and ``title`` are both kept, so that
    the book reads after the plugin that posted it is gone. ``basis_digest`` binds what the entry sums up (the
    payments of a run) into the chain. ``org_id`` is the union whose business the entry is.
    ``happened_on`` is the day of a fact that came late, when its own period was closed.
    """

    __tablename__ = "core_entry"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("scope", "key"),
        UniqueConstraint("book", "seq"),
        UniqueConstraint("book", "previous"),
        CheckConstraint("happened_on <= effective_on", name="happened"),
        Index("ix_core_entry_org_path", "org_path", "id"),
        Index("ix_core_entry_program_year_id", "program_year_id", "id"),
        Index("ix_core_entry_effective_on", "book", "effective_on"),
    )

    id: Mapped[BigId]
    book: Mapped[str]
    seq: Mapped[int]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    effective_on: Mapped[date]
    happened_on: Mapped[date | None]
    posted_at: Mapped[CreatedAt]
    kind: Mapped[str]
    title: Mapped[str]
    description: Mapped[str]
    scope: Mapped[str]
    key: Mapped[str]
    reverses: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    basis_digest: Mapped[bytes | None]
    previous: Mapped[bytes]
    digest: Mapped[bytes]
    #: The database transaction that posted it: legs may come in no other.
    transaction: Mapped[int] = mapped_column(server_default=text("pg_current_xact_id()::text::bigint"))

    legs: Mapped[list["Leg"]] = relationship(order_by="Leg.line", viewonly=True)


class Leg(Base):
    """One line of an entry (分录): debit positive, credit negative, never zero."""

    __tablename__ = "core_leg"
    __table_args__ = (
        CheckConstraint("amount_fen <> 0", name="amount"),
        Index("ix_core_leg_account_id", "account_id", "entry_id"),
        {"info": through("entry_id", "core_entry")},
    )

    entry_id: Mapped[int] = mapped_column(ForeignKey("core_entry.id"), primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("core_account.id"))
    amount_fen: Mapped[Fen]

    account: Mapped[Account] = relationship(viewonly=True)


class BudgetLine(Base):
    """What one union may spend of one source in a program year, in fen: allotted = held + used + free, all >= 0.

    What was taken back is in ``allotted_fen`` no more; what was passed down counts as used.
    """

    __tablename__ = "core_budget_line"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("program_year_id", "org_id", "source"),
        CheckConstraint(f"source IN {SOURCES}", name="source"),
        CheckConstraint(
            "held_fen >= 0 AND used_fen >= 0 AND held_fen + used_fen <= allotted_fen", name="not_overspent"
        ),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    source: Mapped[str] = mapped_column(server_default=UNION_FUNDS)
    allotted_fen: Mapped[Fen] = mapped_column(server_default="0")
    held_fen: Mapped[Fen] = mapped_column(server_default="0")
    used_fen: Mapped[Fen] = mapped_column(server_default="0")


class Hold(Base):
    """Fen held on a budget line until they are settled (at most so many, the rest is freed), voided or expired.

    ``scope`` and ``key`` make it idempotent; ``digest`` is that of what was asked. ``held_on`` says to which period it
    belongs.
    """

    __tablename__ = "core_hold"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'settled', 'void', 'expired')", name="state"),
        CheckConstraint("amount_fen > 0 AND settled_fen >= 0 AND settled_fen <= amount_fen", name="amount"),
        CheckConstraint(
            "(state = 'settled') = (entry_id IS NOT NULL) AND (state = 'settled') = (settled_fen > 0)", name="settled"
        ),
        UniqueConstraint("scope", "key"),
        Index("ix_core_hold_budget_line_id", "budget_line_id"),
        Index("ix_core_hold_expires_at", "expires_at", postgresql_where=text("state = 'open'")),
        {"info": through("budget_line_id", "core_budget_line")},
    )

    id: Mapped[BigId]
    scope: Mapped[str]
    key: Mapped[str]
    digest: Mapped[bytes]
    budget_line_id: Mapped[int] = mapped_column(ForeignKey("core_budget_line.id"))
    amount_fen: Mapped[Fen]
    settled_fen: Mapped[Fen] = mapped_column(server_default="0")
    state: Mapped[str] = mapped_column(server_default="open")
    held_on: Mapped[date]
    expires_at: Mapped[datetime | None]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"), unique=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]


class Refusal(Base):
    """What was refused under a key, to be told again whenever the same is asked."""

    __tablename__ = "core_refusal"
    __table_args__ = ({"info": appended_by_all()},)

    scope: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[bytes]
    sentence: Mapped[str]
    at: Mapped[CreatedAt]


def _line_of(org_id: str) -> ForeignKeyConstraint:
    """The budget line of the same year and source, so that no allotment passes from one source to another."""
    line = ("program_year_id", "org_id", "source")
    return ForeignKeyConstraint(
        ["program_year_id", org_id, "source"], [f"core_budget_line.{column}" for column in line]
    )


class Allotment(Base):
    """Money given to one union for a program year: by a higher union (``from_org_id``) or from its own funds (none).

    A row with ``takes_back`` gives back part or all of that one, which has the same unions and source; together they
    never take back more than was given (a trigger sees to it). One booking has one ``key``.
    """

    __tablename__ = "core_allotment"
    __table_args__ = (
        org_reference(),
        _line_of("org_id"),
        _line_of("from_org_id"),
        CheckConstraint("amount_fen > 0", name="amount"),
        UniqueConstraint("program_year_id", "key", "org_id"),
        Index("ix_core_allotment_entry_id", "entry_id"),
        Index("ix_core_allotment_takes_back", "takes_back", postgresql_where="takes_back IS NOT NULL"),
    )

    id: Mapped[BigId]
    program_year_id: Mapped[int] = mapped_column(ForeignKey("core_program_year.id"))
    key: Mapped[str]
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    from_org_id: Mapped[int | None] = mapped_column(ForeignKey("core_org.id"))
    source: Mapped[str] = mapped_column(server_default=UNION_FUNDS)
    weight: Mapped[int]
    amount_fen: Mapped[Fen]
    entry_id: Mapped[int] = mapped_column(ForeignKey("core_entry.id"))
    takes_back: Mapped[int | None] = mapped_column(ForeignKey("core_allotment.id"))


class ActivityTemplate(Base):
    """A form of the work ledger (台账样式): its columns are data, because 2012 asked for seven fields and 2014 for six.

    ``columns`` is a list of ``{"key", "zh", "en", "required"}``.
    """

    __tablename__ = "core_activity_template"
    __table_args__ = ({"info": of_nobody("the columns of the work ledger")},)

    code: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[dict[str, Any]]
    source: Mapped[str]
    first_year: Mapped[int]
    columns: Mapped[list[Any]]


class Activity(Base):
    """One line of the work ledger (台账): what a union did, in the columns of its template."""

    __tablename__ = "core_activity"
    __table_args__ = (
        org_reference(),
        UniqueConstraint("scope", "key"),
        Index("ix_core_activity_org_path", "org_path", "id"),
        Index("ix_core_activity_program_year_id", "program_year_id", "id"),
        Index("ix_core_activity_entry_id", "entry_id"),
    )

    id: Mapped[BigId]
    template: Mapped[str] = mapped_column(ForeignKey("core_activity_template.code"))
    org_id: Mapped[int]
    org_path: Mapped[OrgPath]
    program_year_id: Mapped[int | None] = mapped_column(ForeignKey("core_program_year.id"))
    held_on: Mapped[date]
    data: Mapped[dict[str, Any]]
    scope: Mapped[str]
    key: Mapped[str]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("core_entry.id"))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("core_user.id"))
    created_at: Mapped[CreatedAt]
