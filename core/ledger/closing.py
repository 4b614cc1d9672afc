"""Closing the months of a book: open -> closing -> closed -> locked, and back to open by two persons.

While a period is open, postings hold its row shared; whoever moves it on waits for them, and they wait and then find it
closed. What is true of a closed period is written down as balances by account; a fact that comes later is dated in an
open one and names its day. Every step asks for ``ledger.close`` on the whole tree.
"""

from collections.abc import Iterator
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import delete, func, select, text

from core.audit.services import Actor, record
from core.errors import NotFound, Refused
from core.extensions import db
from core.ledger.balances import next_month
from core.ledger.checks import Check, checks_before_closing, checks_of_sums, said
from core.ledger.keys import retried
from core.ledger.models import Account, AccountBalance, Period, PeriodBalance, Reopening
from core.money import yuan
from core.org.queries import root_path
from core.users.access import require, today
from core.users.models import User
from core.wall import beyond_scope

CLOSE = "ledger.close"


@beyond_scope("ledger.close")
def start_closing(actor: Actor, book: str, month: date) -> Period:
    """Take no more entries of the month that ``month`` lies in. Raises :class:`Refused` naming what hinders it.

    It must be over, all earlier ones closed, nothing held for it, no run of it between computed and posted; its
    entries balance, and every kept balance is what its legs come to.
    """

    def start() -> Period:
        root = require_closing(actor)
        period = _locked(book, month)
        _refuse_state(period, "open")
        _refuse_hindered(checks_before_closing(period))
        return _move(actor, period, "closing", "ledger.start_closing", root)

    return retried(start)


@beyond_scope("ledger.close")
def cancel_closing(actor: Actor, book: str, month: date) -> Period:
    """Take entries again in a period that is closing."""

    def cancel() -> Period:
        root = require_closing(actor)
        period = _locked(book, month)
        _refuse_state(period, "closing")
        return _move(actor, period, "open", "ledger.cancel_closing", root)

    return retried(cancel)


@beyond_scope("ledger.close")
def close(actor: Actor, book: str, month: date) -> Period:
    """Write down what every account holds at the end of a period that is closing, and close it."""

    def finish() -> Period:
        root = require_closing(actor)
        period = _locked(book, month)
        _refuse_state(period, "closing")
        _refuse_hindered(checks_of_sums(period))
        db.session.execute(_SNAPSHOT, {"book": book, "first": period.first_on, "next": next_month(period.first_on)})
        return _move(actor, period, "closed", "ledger.close", root)

    return retried(finish)


@beyond_scope("ledger.close")
def ask_reopening(actor: User, book: str, month: date, reason: str) -> Reopening:
    """Ask for a closed period to be opened again, with a reason; somebody else agrees (:func:`reopen`)."""

    def ask() -> Reopening:
        root = require_closing(actor)
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


@beyond_scope("ledger.close")
def reopen(actor: User, reopening_id: int) -> Period:
    """Agree that a closed period is opened again; its balances are taken back. The last closed one comes first.

    Raises :class:`Refused` for the person who asked for it, and when a later period is closed or closing.
    """

    def agree() -> Period:
        root = require_closing(actor)
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


@beyond_scope("ledger.close")
def lock(actor: Actor, book: str, month: date) -> Period:
    """Close a closed period for good."""

    def seal() -> Period:
        root = require_closing(actor)
        period = _locked(book, month)
        _refuse_state(period, "closed")
        return _move(actor, period, "locked", "ledger.lock", root)

    return retried(seal)


@beyond_scope("ledger.close")
def close_account(actor: Actor, account_id: int) -> Account:
    """Close an account for good: it takes no more entries. Raises :class:`Refused` unless it holds nothing."""

    def shut() -> Account:
        account = db.session.get(Account, account_id, populate_existing=True)
        if account is None:
            raise NotFound(_("There is no such account."))
        require(actor, CLOSE, account.org_path)
        # The head is what postings hold while they read accounts; under it nothing moves.
        db.session.execute(text("SELECT core_hold_head(:book)"), {"book": account.book})
        db.session.refresh(account)
        if account.closed_on is not None:
            raise Refused(_("The account has been closed already."))
        held = db.session.scalars(
            select(AccountBalance.posted_fen).where(AccountBalance.account_id == account_id)
        ).one()
        if held:
            raise Refused(
                _("The account holds %(amount)s yuan; only an empty one is closed.", amount=yuan(account.side * held))
            )
        account.closed_on = today()
        record(actor, "ledger.close_account", f"account:{account_id}", account.org_path, code=account.code)
        db.session.commit()
        return account

    return retried(shut)


def require_closing(actor: Actor) -> str:
    """The path of the whole tree. Raises :class:`core.errors.Forbidden` unless ``actor`` may close books on it."""
    root = whole_tree()
    require(actor, CLOSE, root)
    return root


def whole_tree() -> str:
    """The path of the whole tree, whose books these are."""
    return root_path() or "/"


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
                month=said(period),
                state=titles[period.state],
                wanted=titles[wanted],
            )
        )


def _refuse_hindered(checks: Iterator[Check]) -> None:
    for check in checks:
        if check.hindrance is not None:
            raise Refused(check.hindrance.sentence)


def _move(
    actor: Actor, period: Period, state: str, action: str, root: str, *, commit: bool = True, **said: object
) -> Period:
    period.state = state
    record(actor, action, _subject(period), root, **said)
    if commit:
        db.session.commit()
    return period


def _subject(period: Period) -> str:
    return f"period:{period.book}/{said(period)}"


_SNAPSHOT = text(
    "INSERT INTO core_period_balance (book, first_on, account_id, posted_fen)"
    " SELECT :book, :first, leg.account_id, sum(leg.amount_fen)"
    "   FROM core_leg leg JOIN core_entry entry ON entry.id = leg.entry_id"
    "  WHERE entry.book = :book AND entry.effective_on < :next GROUP BY leg.account_id"
)
