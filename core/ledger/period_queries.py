"""The months of a book, with what was entered in them, and who asked to open one again. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from core.extensions import db
from core.ledger.balances import next_month
from core.ledger.models import Entry, Leg, Period, Reopening
from core.users.access import today
from core.users.models import User

PAGE = 24


@dataclass(frozen=True)
class PeriodRow:
    """A month with the number of its entries and the sums of both sides, in fen.

    ``is_passed`` says that it has no entry and a later one is closed: it takes nothing any more, and there is nothing
    to close.
    """

    period: Period
    is_passed: bool
    entries: int
    debit_fen: int
    credit_fen: int


@dataclass(frozen=True)
class Request:
    """Somebody asked to open a month again; ``agreed`` names who agreed, if anybody has."""

    reopening: Reopening
    asked: str
    agreed: str | None


def periods_of(book: str, before: date | None = None) -> list[PeriodRow]:
    """The months of a book from its first entry's to the present one, newest first, before a month.

    One more than :data:`PAGE` says that there are more.
    """
    first, last = _span(book)
    if first is None or last is None:
        return []
    months: list[date] = []
    month = last if before is None else min(last, _month_before(before))
    while month >= first and len(months) <= PAGE:
        months.append(month)
        month = _month_before(month)
    return _with_sums(book, months) if months else []


def find_period(book: str, month: date) -> PeriodRow | None:
    """One month, also one without entries, unless that was passed over."""
    first, last = _span(book)
    if first is None or last is None or not first <= month <= last:
        return None
    (row,) = _with_sums(book, [month])
    return None if row.is_passed else row


def _span(book: str) -> tuple[date | None, date | None]:
    """The first month of a book, which has the first entry, and the present or a later one that has a row."""
    first, last = db.session.execute(
        select(func.min(Period.first_on), func.max(Period.first_on)).where(Period.book == book)
    ).one()
    return first, max(last, today().replace(day=1)) if last else None


def _month_before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def requests_of(period: Period) -> list[Request]:
    """Who asked to open the month again, newest first."""
    asker, agreer = aliased(User), aliased(User)
    rows = db.session.execute(
        select(Reopening, asker.name, agreer.name)
        .join(asker, asker.id == Reopening.asked_by)
        .outerjoin(agreer, agreer.id == Reopening.agreed_by)
        .where(Reopening.book == period.book, Reopening.first_on == period.first_on)
        .order_by(Reopening.id.desc())
    )
    return [Request(reopening, asked, agreed) for reopening, asked, agreed in rows]


def _with_sums(book: str, months: Sequence[date]) -> list[PeriodRow]:
    """The months, given newest first, each with its row or as it would be made by whoever posts."""
    month = func.date_trunc("month", Entry.effective_on)
    rows = db.session.execute(
        select(
            month,
            func.count(Entry.id.distinct()),
            func.coalesce(func.sum(Leg.amount_fen).filter(Leg.amount_fen > 0), 0),
            func.coalesce(-func.sum(Leg.amount_fen).filter(Leg.amount_fen < 0), 0),
        )
        .join(Leg, Leg.entry_id == Entry.id)
        .where(
            Entry.book == book,
            Entry.effective_on >= months[-1],
            Entry.effective_on < next_month(months[0]),
        )
        .group_by(month)
    )
    sums = {first.date(): (int(count), int(debit), int(credit)) for first, count, debit, credit in rows}
    kept = {
        period.first_on: period
        for period in db.session.scalars(select(Period).where(Period.book == book, Period.first_on.in_(months)))
    }
    shut = db.session.scalars(
        select(func.max(Period.first_on)).where(Period.book == book, Period.state != "open")
    ).one()
    found = []
    for first in months:
        is_passed = first not in kept and shut is not None and first < shut
        period = kept.get(first) or Period(book=book, first_on=first, state="closed" if is_passed else "open")
        found.append(PeriodRow(period, is_passed, *sums.get(first, (0, 0, 0))))
    return found
