"""Closing the months of a book: open -> closing -> closed -> locked, and back to open by two persons.

While a period is open, postings hold its row shared; whoever moves it on waits for them, and they wait and then find it
closed. What is true of a closed period is written down as balances by account; a fact that comes later is dated in an
open one and names its day. Every step asks for ``ledger.close`` on the whole tree.
"""

from datetime import date, timedelta

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, text

from core.audit.services import Actor, record
from core.errors import NotFound, Refused
from core.extensions import db
from core.ledger.chart import STATUTORY
from core.ledger.keys import retried
from core.ledger.models import Period, PeriodBalance, Reopening
from core.money import yuan
from core.org.models import Org
from core.users.access import require, today
from core.users.models import User

CLOSE = "ledger.close"


def start_closing(actor: Actor, book: str, month: date) -> Period:
    """Take no more entries of the month that ``month`` lies in. Raises :class:`Refused` naming what hinders it.

    It must be over, all earlier ones closed, nothing held for it, no run of it between computed and posted; its
    entries balance, and every kept balance is what its legs come to.
    """

    def start() -> Period:
        root = _require(actor)
        period = _locked(book, month)
        _refuse_state(period, "open")
        if _next_month(period.first_on) > today():
            raise Refused(_("The period %(month)s is not over.", month=_said(period)))
        _refuse_open_before(period)
        _refuse_unfinished(period)
        _refuse_unsound(period)
        return _move(actor, period, "closing", "ledger.start_closing", root)

    return retried(start)


def cancel_closing(actor: Actor, book: str, month: date) -> Period:
    """Take entries again in a period that is closing."""

    def cancel() -> Period:
        root = _require(actor)
        period = _locked(book, month)
        _refuse_state(period, "closing")
        return _move(actor, period, "open", "ledger.cancel_closing", root)

    return retried(cancel)


def close(actor: Actor, book: str, month: date) -> Period:
    """Write down what every account holds at the end of a period that is closing, and close it."""

    def finish() -> Period:
        root = _require(actor)
        period = _locked(book, month)
        _refuse_state(period, "closing")
        _refuse_unsound(period)
        db.session.execute(_SNAPSHOT, {"book": book, "first": period.first_on, "next": _next_month(period.first_on)})
        return _move(actor, period, "closed", "ledger.close", root)

    return retried(finish)


def ask_reopening(actor: User, book: str, month: date, reason: str) -> Reopening:
    """Ask for a closed period to be opened again, with a reason; somebody else agrees (:func:`reopen`)."""

    def ask() -> Reopening:
        root = _require(actor)
        if not reason.strip():
            raise Refused(_("Say why the period is opened again."), field="reason")
        period = _locked(book, month)
        _refuse_state(period, "closed")
        waiting = (Reopening.book == book, Reopening.first_on == period.first_on, Reopening.agreed_by.is_(None))
        if db.session.scalars(select(Reopening.id).where(*waiting)).first() is not None:
            raise Refused(_("Somebody has asked for this already; another person must agree."))
        asked = Reopening(book=book, first_on=period.first_on, reason=reason.strip(), asked_by=actor.id)
        db.session.add(asked)
        record(actor, "ledger.ask_reopening", _subject(period), root, reason=asked.reason)
        db.session.commit()
        return asked

    return retried(ask)


def reopen(actor: User, reopening_id: int) -> Period:
    """Agree that a closed period is opened again; its balances are taken back. The last closed one comes first.

    Raises :class:`Refused` for the person who asked for it, and when a later period is closed or closing.
    """

    def agree() -> Period:
        root = _require(actor)
        asked = db.session.get(Reopening, reopening_id, populate_existing=True)
        if asked is None:
            raise NotFound(_("Nobody asked for this."))
        period = _locked(asked.book, asked.first_on)
        _refuse_state(period, "closed")
        db.session.refresh(asked)
        if asked.agreed_by is not None:
            raise Refused(_("This has been agreed to before."))
        if asked.asked_by == actor.id:
            raise Refused(_("Nobody agrees to what they asked for themselves."))
        later = select(Period.first_on).where(Period.book == period.book, Period.first_on > period.first_on)
        if db.session.scalars(later.where(Period.state != "open").limit(1)).first() is not None:
            raise Refused(_("A later period is closed; open that one first."))
        asked.agreed_by, asked.agreed_at = actor.id, func.now()
        db.session.flush()
        _move(actor, period, "open", "ledger.reopen", root, commit=False, asked_by=asked.asked_by, reason=asked.reason)
        db.session.flush()
        db.session.execute(
            delete(PeriodBalance).where(PeriodBalance.book == period.book, PeriodBalance.first_on == period.first_on)
        )
        db.session.commit()
        return period

    return retried(agree)


def lock(actor: Actor, book: str, month: date) -> Period:
    """Close a closed period for good."""

    def seal() -> Period:
        root = _require(actor)
        period = _locked(book, month)
        _refuse_state(period, "closed")
        return _move(actor, period, "locked", "ledger.lock", root)

    return retried(seal)


def _require(actor: Actor) -> str:
    """The path of the whole tree, on which the permission must be held."""
    root = db.session.scalars(select(Org.path).where(Org.parent_id.is_(None)).order_by(Org.id).limit(1)).one()
    require(actor, CLOSE, root)
    return root


def _locked(book: str, month: date) -> Period:
    """The period, made if it is missing, with nobody posting to it; the book first, as ``core_hold_period`` does."""
    if not db.session.scalar(text("SELECT core_hold_book(:book)"), {"book": book}):
        raise NotFound(_("There is no book %(book)s.", book=book))
    db.session.execute(text("SELECT core_hold_period(:book, :day)"), {"book": book, "day": month})
    period = db.session.get(
        Period, (book, month.replace(day=1)), with_for_update={"key_share": True}, populate_existing=True
    )
    if period is None:
        raise Refused(_("A later period is closed; this one takes nothing any more."))
    return period


def _refuse_state(period: Period, wanted: str) -> None:
    if period.state != wanted:
        titles = {
            "open": _("open for entries"),
            "closing": _("being closed"),
            "closed": _("closed to entries"),
            "locked": _("locked for good"),
        }
        raise Refused(
            _(
                "The period %(month)s is %(state)s, not %(wanted)s.",
                month=_said(period),
                state=titles[period.state],
                wanted=titles[wanted],
            )
        )


def _refuse_open_before(period: Period) -> None:
    before = (Period.book == period.book, Period.first_on < period.first_on, Period.state.in_(("open", "closing")))
    first = db.session.scalars(select(Period).where(*before).order_by(Period.first_on).limit(1)).first()
    if first is not None:
        raise Refused(_("The period %(month)s comes first: it is not closed.", month=_said(first)))


def _refuse_unfinished(period: Period) -> None:
    if period.book != STATUTORY:  # budget lines and runs are of the statutory book
        return
    until = {"next": _next_month(period.first_on)}
    held = db.session.execute(_HELD, until).one()
    if held.holds:
        raise Refused(
            _("%(count)s holds of this period are open, %(amount)s yuan.", count=held.holds, amount=yuan(held.fen))
        )
    run = db.session.execute(_RUN, until).first()
    if run is not None:
        raise Refused(_("Run %(id)s, “%(title)s”, is computed and not posted.", id=run.id, title=run.title))


def _refuse_unsound(period: Period) -> None:
    found = {"book": period.book, "first": period.first_on, "next": _next_month(period.first_on)}
    total = db.session.execute(_TOTAL, found).scalar_one()
    if total:
        raise Refused(_("The entries of %(month)s do not balance: %(sum)s yuan.", month=_said(period), sum=yuan(total)))
    wrong = db.session.execute(_UNKEPT, found).scalar_one()
    if wrong:
        raise Refused(_("%(count)s accounts do not hold what their entries come to.", count=wrong))


def _move(
    actor: Actor, period: Period, state: str, action: str, root: str, *, commit: bool = True, **said: object
) -> Period:
    period.state = state
    record(actor, action, _subject(period), root, **said)
    if commit:
        db.session.commit()
    return period


def _subject(period: Period) -> str:
    return f"period:{period.book}/{_said(period)}"


def _said(period: Period) -> str:
    return f"{period.first_on:%Y-%m}"


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)


_HELD = text(
    "SELECT count(*) AS holds, coalesce(sum(amount_fen), 0)::bigint AS fen FROM core_hold"
    " WHERE state = 'open' AND held_on < :next"
)
# The ledger may know the table of runs by name, not by import; days are counted in Asia/Shanghai.
_RUN = text(
    "SELECT id, title FROM core_run WHERE state IN ('computed', 'notice', 'submitted', 'approved')"
    " AND (computed_at AT TIME ZONE 'Asia/Shanghai')::date < :next ORDER BY id LIMIT 1"
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
_SNAPSHOT = text(
    "INSERT INTO core_period_balance (book, first_on, account_id, posted_fen)"
    " SELECT :book, :first, leg.account_id, sum(leg.amount_fen)"
    "   FROM core_leg leg JOIN core_entry entry ON entry.id = leg.entry_id"
    "  WHERE entry.book = :book AND entry.effective_on < :next GROUP BY leg.account_id"
)
