"""What closing a month of a book asks for, each with the sentence that hinders it. Nothing here writes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select, text

from core.extensions import db
from core.ledger.balances import next_month
from core.ledger.chart import STATUTORY
from core.ledger.models import Period
from core.money import yuan
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.access import today


@dataclass(frozen=True)
class Hindrance:
    """Why a period cannot be closed, and the page (endpoint and its values) on which that is seen, if there is one."""

    sentence: str
    endpoint: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """One thing that is asked for, and what hinders it now."""

    title: LazyString
    hindrance: Hindrance | None


def checks_before_closing(period: Period) -> Iterator[Check]:
    """What must be so before a period takes no more entries."""
    yield Check(_l("The month is over"), _not_over(period))
    yield Check(_l("Earlier months are closed"), _open_before(period))
    if period.book == STATUTORY:  # budget lines and runs are of the statutory book
        yield Check(_l("Nothing is held for it"), _held(period))
        yield Check(_l("No run is between computed and posted"), _run_under_way(period))
        if period.first_on.month == 12:  # money that comes back in January would be of the next year
            yield Check(_l("Of every run of the year it is known what became of it"), _run_unsettled(period))
    yield from checks_of_sums(period)


def checks_of_sums(period: Period) -> Iterator[Check]:
    """What must be so whenever balances are written down."""
    yield Check(_l("Its entries balance"), _uneven(period))
    yield Check(_l("What is kept is what the entries come to"), _unkept(period))


def said(period: Period) -> str:
    """The month as people write it: ``2014-01``."""
    return f"{period.first_on:%Y-%m}"


def _not_over(period: Period) -> Hindrance | None:
    if next_month(period.first_on) <= today():
        return None
    return Hindrance(_("The period %(month)s is not over.", month=said(period)))


def _open_before(period: Period) -> Hindrance | None:
    before = (Period.book == period.book, Period.first_on < period.first_on, Period.state.in_(("open", "closing")))
    first = db.session.scalars(select(Period).where(*before).order_by(Period.first_on).limit(1)).first()
    if first is None:
        return None
    sentence = _("The period %(month)s comes first: it is not closed.", month=said(first))
    return Hindrance(sentence, "ledger.period", {"book": first.book, "month": said(first)})


def _held(period: Period) -> Hindrance | None:
    row = db.session.execute(_HELD, _bounds(period)).one()
    if not row.holds:
        return None
    sentence = _("%(count)s holds of this period are open, %(amount)s yuan.", count=row.holds, amount=yuan(row.fen))
    return Hindrance(sentence, "budget.index", _address_of(row.program_year_id))


def _run_under_way(period: Period) -> Hindrance | None:
    row = db.session.execute(_RUN, _bounds(period)).first()
    if row is None:
        return None
    sentence = _("Run %(id)s, “%(title)s”, is computed and not posted.", id=row.id, title=row.title)
    return Hindrance(sentence, "runs.show", {**_address_of(row.program_year_id), "run_id": row.id})


def _run_unsettled(period: Period) -> Hindrance | None:
    row = db.session.execute(_UNSETTLED, _bounds(period)).first()
    if row is None:
        return None
    sentence = _(
        "Run %(id)s, “%(title)s”, is posted and not settled: money may still come back.", id=row.id, title=row.title
    )
    return Hindrance(sentence, "runs.show", {**_address_of(row.program_year_id), "run_id": row.id})


def _uneven(period: Period) -> Hindrance | None:
    total = db.session.execute(_TOTAL, _bounds(period)).scalar_one()
    if not total:
        return None
    return Hindrance(_("The entries of %(month)s do not balance: %(sum)s yuan.", month=said(period), sum=yuan(total)))


def _unkept(period: Period) -> Hindrance | None:
    wrong = db.session.execute(_UNKEPT, {"book": period.book}).scalar_one()
    if not wrong:
        return None
    return Hindrance(_("%(count)s accounts do not hold what their entries come to.", count=wrong))


def _bounds(period: Period) -> dict[str, Any]:
    return {"book": period.book, "first": period.first_on, "next": next_month(period.first_on)}


def _address_of(program_year_id: int) -> dict[str, Any]:
    program_year = db.session.get_one(ProgramYear, program_year_id)
    return {
        "year": program_year.year,
        "sponsor": sponsor_code(program_year),
        "program": program_year.program,
    }


_HELD = text(
    "SELECT count(*) AS holds, coalesce(sum(hold.amount_fen), 0)::bigint AS fen,"
    " min(line.program_year_id) AS program_year_id"
    " FROM core_hold hold JOIN core_budget_line line ON line.id = hold.budget_line_id"
    " WHERE hold.state = 'open' AND hold.held_on < :next"
)
# The ledger may know the table of runs by name, not by import; days are counted in Asia/Shanghai.
_RUN = text(
    "SELECT id, title, program_year_id FROM core_run WHERE state IN ('computed', 'notice', 'submitted', 'approved')"
    " AND (computed_at AT TIME ZONE 'Asia/Shanghai')::date < :next ORDER BY id LIMIT 1"
)
_UNSETTLED = text(
    "SELECT id, title, program_year_id FROM core_run WHERE state IN ('posted', 'sent') AND effective_on < :next"
    " ORDER BY id LIMIT 1"
)
_TOTAL = text(
    "SELECT coalesce(sum(leg.amount_fen), 0)::bigint FROM core_leg leg JOIN core_entry entry ON entry.id = leg.entry_id"
    " WHERE entry.book = :book AND entry.effective_on >= :first AND entry.effective_on < :next"
)
_UNKEPT = text(
    "SELECT count(*) FROM core_account account JOIN core_account_balance kept ON kept.account_id = account.id"
    " LEFT JOIN (SELECT account_id, sum(amount_fen) AS fen FROM core_leg GROUP BY 1) legs"
    " ON legs.account_id = account.id"
    " WHERE account.book = :book AND kept.posted_fen <> coalesce(legs.fen, 0)"
)
