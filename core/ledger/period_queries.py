"""The months of a book, with what was entered in them, and who asked to open one again. Nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from core.extensions import db
from core.ledger.balances import next_month
from core.ledger.models import Entry, Leg, Period, Reopening
from core.users.models import User

PAGE = 24


@dataclass(frozen=True)
class PeriodRow:
    """A month with the number of its entries and the sums of both sides, in fen."""

    period: Period
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
    """The months of a book, newest first, before a month; one more than :data:`PAGE` says that there are more."""
    query = select(Period).where(Period.book == book).order_by(Period.first_on.desc()).limit(PAGE + 1)
    if before is not None:
        query = query.where(Period.first_on < before)
    return _with_sums(book, db.session.scalars(query).all())


def find_period(book: str, month: date) -> PeriodRow | None:
    """One month."""
    period = db.session.get(Period, (book, month))
    return _with_sums(book, [period])[0] if period else None


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


def _with_sums(book: str, periods: Sequence[Period]) -> list[PeriodRow]:
    if not periods:
        return []
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
            Entry.effective_on >= periods[-1].first_on,
            Entry.effective_on < next_month(periods[0].first_on),
        )
        .group_by(month)
    )
    sums = {first.date(): (int(count), int(debit), int(credit)) for first, count, debit, credit in rows}
    return [PeriodRow(period, *sums.get(period.first_on, (0, 0, 0))) for period in periods]
