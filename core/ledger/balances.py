"""Trial balances and account sheets: what accounts held, what moved, what they hold. Nothing here writes.

Where somebody reads every line of the unions in question, balances come from what the database keeps: the kept balance
of each account for now, that of the last closed month before a span for its opening. Whoever reads one program's lines
only gets sums of those lines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, Subquery, and_, false, func, literal, select, tuple_, union_all
from sqlalchemy.orm import InstrumentedAttribute

from core.errors import NotFound
from core.extensions import db
from core.ledger.models import Account, AccountBalance, Book, Entry, Leg, Period, PeriodBalance
from core.ledger.scope import BookScope
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear

PAGE = 50


@dataclass(frozen=True)
class Months:
    """Whole months from ``first`` to ``last``, each given by its first day, both with it."""

    first: date
    last: date

    @property
    def end(self) -> date:
        """The first day that is no longer in it."""
        return next_month(self.last)


@dataclass(frozen=True)
class Asked:
    """What is asked of a book: all of it, or some months, one program year, one union with those below it."""

    scope: BookScope
    book: str
    months: Months | None = None
    program_year: ProgramYear | None = None
    org: Org | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every line of the unions in question is meant and may be read, so that kept balances say it."""
        return self.program_year is None and self.scope.is_general


@dataclass(frozen=True)
class Sums:
    """Fen: ``opening_fen`` and ``closing_fen`` are debits minus credits, the others positive."""

    opening_fen: int
    debit_fen: int
    credit_fen: int

    @property
    def closing_fen(self) -> int:
        """What is held in the end."""
        return self.opening_fen + self.debit_fen - self.credit_fen


@dataclass(frozen=True)
class CodeRow:
    """One account code over every union that is asked for."""

    code: str
    name: str
    sums: Sums


@dataclass(frozen=True)
class AccountRow:
    """One account with its union."""

    account: Account
    org: Org
    sums: Sums


@dataclass(frozen=True)
class Move:
    """What one entry moved on an account, in fen, and what the account held after it."""

    entry: Entry
    debit_fen: int
    credit_fen: int
    held_fen: int


def next_month(first: date) -> date:
    """The first day of the month after the one that begins on ``first``."""
    return (first + timedelta(days=31)).replace(day=1)


def books() -> Sequence[Book]:
    """The books, the statutory one first."""
    return db.session.scalars(select(Book).order_by(Book.code != "statutory", Book.code)).all()


def trial_balance(asked: Asked) -> list[CodeRow]:
    """The accounts of a book by code. Debits and credits of each column come to the same sum.

    Without months it says what is held now; where that is kept, the turnover is left out (both sides are nothing).
    """
    sums = _sums(asked)
    rows = db.session.execute(
        select(Account.code, func.min(Account.name), *_totals(sums))
        .join(sums, sums.c.account_id == Account.id)
        .group_by(Account.code)
        .order_by(Account.code)
    )
    return [CodeRow(code, name, _read(figures)) for code, name, *figures in rows]


def accounts_of_code(asked: Asked, code: str, after: str = "", limit: int | None = PAGE + 1) -> list[AccountRow]:
    """The accounts with a code, by the path of their unions, from behind the path ``after``.

    One more than :data:`PAGE` says that there are more; no ``limit`` gives all of them.
    """
    sums = _sums(asked, Account.code == code)
    query = (
        select(Account, Org, *_totals(sums))
        .join(sums, sums.c.account_id == Account.id)
        .join(Org, Org.id == Account.org_id)
        .where(Account.org_path > after)
        .group_by(Account.id, Org.id)
        .order_by(Account.org_path)
        .limit(limit)
    )
    return [AccountRow(account, org, _read(figures)) for account, org, *figures in db.session.execute(query)]


def find_account(scope: BookScope, account_id: int) -> tuple[Account, Org] | None:
    """The account, if its union's lines may be read, or one of its entries may."""
    legs = select(Leg.entry_id).join(Entry, Entry.id == Leg.entry_id)
    readable = legs.where(Leg.account_id == account_id, scope.covers(Entry)).exists()
    query = select(Account, Org).join(Org, Org.id == Account.org_id).where(Account.id == account_id)
    row = db.session.execute(query.where(scope.general.covers(Account.org_path) | readable)).one_or_none()
    return (row[0], row[1]) if row else None


def sums_of(asked: Asked, account: Account) -> Sums:
    """What one account held, what moved and what it holds, as far as it is asked for."""
    this = Account.id == account.id
    sums = _sums(asked, this) if asked.months else _legs(asked, (this,)).subquery()
    return _read(db.session.execute(select(*_totals(sums))).one())


def moves_of(asked: Asked, account: Account, after: int | None = None, limit: int | None = PAGE + 1) -> list[Move]:
    """The entries of an account by day, from behind the entry ``after``, each with what the account held then.

    One more than :data:`PAGE` says that there are more; no ``limit`` gives all of them.
    """
    held = _held_until(asked, account, after)
    debit, credit = _sides()
    query = _of_account(asked, account, Entry, debit, credit).group_by(Entry.id)
    if after is not None:
        query = query.where(tuple_(Entry.effective_on, Entry.id) > _place(after))
    if asked.months:
        query = query.where(Entry.effective_on >= asked.months.first, Entry.effective_on < asked.months.end)
    moves = []
    for entry, debit_fen, credit_fen in db.session.execute(query.order_by(Entry.effective_on, Entry.id).limit(limit)):
        held += int(debit_fen) - int(credit_fen)
        moves.append(Move(entry, int(debit_fen), int(credit_fen), held))
    return moves


def _held_until(asked: Asked, account: Account, after: int | None) -> int:
    """What the account held before the page begins."""
    if after is None:
        return sums_of(asked, account).opening_fen
    before = _of_account(asked, account, func.coalesce(func.sum(Leg.amount_fen), 0))
    return int(db.session.scalars(before.where(tuple_(Entry.effective_on, Entry.id) <= _place(after))).one())


def _of_account(asked: Asked, account: Account, *columns: Any) -> Select[*tuple[Any, ...]]:
    query: Select[*tuple[Any, ...]] = select(*columns)
    legs = query.select_from(Entry).join(Leg, Leg.entry_id == Entry.id)
    return legs.where(Leg.account_id == account.id, *_entries(asked))


def _place(entry_id: int) -> ColumnElement[Any]:
    """The day and number of an entry, as entries are sorted by on an account sheet."""
    day = db.session.scalars(select(Entry.effective_on).where(Entry.id == entry_id)).one_or_none()
    if day is None:
        raise NotFound(_("There is no such entry."))
    return tuple_(literal(day), literal(entry_id))


def _sums(asked: Asked, *accounts: ColumnElement[bool]) -> Subquery:
    """``account_id`` with ``opening``, ``debit`` and ``credit``; an account may have several rows."""
    if not asked.is_whole:
        return _legs(asked, accounts).subquery()
    within = (Account.book == asked.book, *_unions(asked), *accounts)
    if asked.months is None:
        return _kept(AccountBalance.posted_fen).join(AccountBalance).where(*within).subquery()
    closed = _last_closed(asked.book, asked.months.first)
    if closed is None:
        return _legs(asked, accounts).subquery()
    then = _kept(PeriodBalance.posted_fen).join(PeriodBalance, PeriodBalance.account_id == Account.id)
    then = then.where(*within, PeriodBalance.book == asked.book, PeriodBalance.first_on == closed)
    return union_all(then, _legs(asked, accounts, since=next_month(closed))).subquery()


def _kept(fen: InstrumentedAttribute[int]) -> Select[*tuple[Any, ...]]:
    nothing = literal(0)
    return select(
        Account.id.label("account_id"), fen.label("opening"), nothing.label("debit"), nothing.label("credit")
    ).select_from(Account)


def _legs(asked: Asked, accounts: Sequence[ColumnElement[bool]], since: date | None = None) -> Select[*tuple[Any, ...]]:
    """Sums of the legs themselves; what lies before the months goes into the opening."""
    debit, credit = _sides(Entry.effective_on >= asked.months.first if asked.months else None)
    before = Entry.effective_on < asked.months.first if asked.months else false()
    opening = func.coalesce(func.sum(Leg.amount_fen).filter(before), 0)
    query = (
        select(Leg.account_id, opening.label("opening"), debit.label("debit"), credit.label("credit"))
        .join(Entry, Entry.id == Leg.entry_id)
        .join(Account, Account.id == Leg.account_id)
        .where(*_entries(asked), *accounts)
        .group_by(Leg.account_id)
    )
    if asked.months:
        query = query.where(Entry.effective_on < asked.months.end)
    return query if since is None else query.where(Entry.effective_on >= since)


def _sides(when: ColumnElement[bool] | None = None) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Debits and credits, both positive."""
    debit, credit = Leg.amount_fen > 0, Leg.amount_fen < 0
    if when is not None:
        debit, credit = and_(debit, when), and_(credit, when)
    return (
        func.coalesce(func.sum(Leg.amount_fen).filter(debit), 0),
        func.coalesce(-func.sum(Leg.amount_fen).filter(credit), 0),
    )


def _entries(asked: Asked) -> list[ColumnElement[bool]]:
    found = [Entry.book == asked.book, asked.scope.covers(Entry)]
    if asked.program_year is not None:
        found.append(Entry.program_year_id == asked.program_year.id)
    if asked.org is not None:
        found.append(Scope((asked.org.path,)).covers(Entry.org_path))
    return found


def _unions(asked: Asked) -> list[ColumnElement[bool]]:
    found = [asked.scope.general.covers(Account.org_path)]
    if asked.org is not None:
        found.append(Scope((asked.org.path,)).covers(Account.org_path))
    return found


def _last_closed(book: str, before: date) -> date | None:
    """The last closed month that lies before ``before``."""
    closed = (Period.book == book, Period.first_on < before, Period.state.in_(("closed", "locked")))
    return db.session.scalars(select(func.max(Period.first_on)).where(*closed)).one()


def _totals(sums: Subquery) -> list[ColumnElement[Any]]:
    return [func.coalesce(func.sum(sums.c[name]), 0) for name in ("opening", "debit", "credit")]


def _read(figures: Sequence[object]) -> Sums:
    opening, debit, credit = (int(str(figure)) for figure in figures)
    return Sums(opening, debit, credit)
