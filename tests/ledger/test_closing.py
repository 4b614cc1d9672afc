"""Months of a book: closed one after the other when all is sound, opened again by two persons, locked for good."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused
from core.extensions import db
from core.ledger import checks
from core.ledger.booking import post
from core.ledger.closing import ask_reopening, cancel_closing, close, lock, reopen, start_closing
from core.ledger.models import Period, PeriodBalance, Reopening
from core.ledger.posting import Posting
from core.ledger.verify_books import verify_books
from core.org.models import Org
from core.users.access import today
from core.users.testing import MakeUser
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services
BOOK = "statutory"
FEBRUARY, MARCH = date(2014, 2, 1), date(2014, 3, 1)


def states() -> dict[date, str]:
    """First day -> state."""
    return {period.first_on: period.state for period in db.session.scalars(select(Period))}


def test_periods_are_closed_one_after_the_other(posting: Posting) -> None:
    post(SYSTEM, posting)
    post(SYSTEM, replace(posting, key="2", effective_on=MARCH - timedelta(days=1)))
    with pytest.raises(Refused, match="2014-01 comes first"):
        start_closing(SYSTEM, BOOK, FEBRUARY)
    with pytest.raises(Refused, match="2014-01 is open for entries, not being closed"):
        close(SYSTEM, BOOK, DAY)
    start_closing(SYSTEM, BOOK, DAY)
    with pytest.raises(Refused, match="2014-01 comes first"):
        start_closing(SYSTEM, BOOK, FEBRUARY)
    close(SYSTEM, BOOK, DAY)
    start_closing(SYSTEM, BOOK, FEBRUARY)
    close(SYSTEM, BOOK, FEBRUARY)
    assert set(states().values()) == {"closed"}
    rows = db.session.execute(select(PeriodBalance.first_on, PeriodBalance.posted_fen))
    january = DAY.replace(day=1)
    assert sorted(map(tuple, rows)) == [
        (january, -10_000),
        (january, 10_000),
        (FEBRUARY, -20_000),
        (FEBRUARY, 20_000),
    ]
    assert list(verify_books()) == []


def test_closing_can_be_stopped(posting: Posting) -> None:
    start_closing(SYSTEM, BOOK, DAY)
    cancel_closing(SYSTEM, BOOK, DAY)
    assert post(SYSTEM, posting).entry.seq == 1
    with pytest.raises(Refused, match="is open for entries, not being closed"):
        cancel_closing(SYSTEM, BOOK, DAY)


def test_a_month_is_closed_when_it_is_over(small_tree: dict[str, Org], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "today", lambda: date(2014, 1, 31))
    with pytest.raises(Refused, match="is not over"):
        start_closing(SYSTEM, BOOK, DAY)
    monkeypatch.setattr(checks, "today", lambda: FEBRUARY)
    start_closing(SYSTEM, BOOK, DAY)
    with pytest.raises(NotFound):
        start_closing(SYSTEM, "nowhere", DAY)


def test_a_run_between_computed_and_posted_keeps_its_period_open(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed()
    start_closing(SYSTEM, BOOK, DAY)
    this_month = today().replace(day=1)
    hinders = text("SELECT count(*) FROM core_run WHERE state = 'computed'")
    assert db.session.scalar(hinders) == 1
    with pytest.raises(Refused, match="not over"):
        start_closing(SYSTEM, BOOK, this_month)
    close(SYSTEM, BOOK, DAY)
    db.session.execute(text("UPDATE core_run SET computed_at = '2014-02-28 15:59:59+00'"))
    db.session.commit()
    with pytest.raises(Refused, match=f"Run {run.id}, “送温暖”"):
        start_closing(SYSTEM, BOOK, FEBRUARY)
    db.session.execute(text("UPDATE core_run SET computed_at = '2014-02-28 16:00:00+00'"))
    db.session.commit()
    start_closing(SYSTEM, BOOK, FEBRUARY)


def test_two_persons_open_a_period_again(posting: Posting, make_user: MakeUser) -> None:
    one, two = make_user("finance"), make_user("finance")
    post(SYSTEM, posting)
    with pytest.raises(Refused, match="is open for entries, not closed"):
        ask_reopening(one, BOOK, DAY, "漏记")
    for month in (DAY, FEBRUARY):
        start_closing(one, BOOK, month)
        close(one, BOOK, month)
    with pytest.raises(Refused, match="Say why"):
        ask_reopening(one, BOOK, FEBRUARY, " ")
    early, asked = ask_reopening(one, BOOK, DAY, "漏记"), ask_reopening(one, BOOK, FEBRUARY, "漏记")
    with pytest.raises(Refused, match="asked for this already"):
        ask_reopening(two, BOOK, FEBRUARY, "漏记")
    with pytest.raises(Refused, match="Nobody agrees"):
        reopen(one, asked.id)
    with pytest.raises(Refused, match="later period"):
        reopen(two, early.id)
    with pytest.raises(NotFound):
        reopen(two, 10**9)
    reopen(two, asked.id)
    assert states() == {DAY.replace(day=1): "closed", FEBRUARY: "open"}
    assert db.session.scalars(select(PeriodBalance.first_on).where(PeriodBalance.first_on == FEBRUARY)).all() == []
    with pytest.raises(Refused, match="is open for entries, not closed"):
        reopen(two, asked.id)
    post(SYSTEM, replace(posting, key="late", effective_on=FEBRUARY))
    logged = db.session.execute(
        select(AuditLine.action, AuditLine.user_id).where(AuditLine.action.like("ledger.%open%"))
    )
    assert {tuple(line) for line in logged} == {("ledger.ask_reopening", one.id), ("ledger.reopen", two.id)}
    lock(one, BOOK, DAY)
    with pytest.raises(Refused, match="is locked for good, not closed"):
        reopen(two, early.id)


@pytest.mark.as_owner
def test_a_period_with_wrong_balances_is_not_closed(posting: Posting) -> None:
    post(SYSTEM, posting)
    db.session.execute(text("SET session_replication_role = replica"))
    db.session.execute(text("UPDATE core_account_balance SET posted_fen = posted_fen + 1 WHERE side = 1"))
    db.session.execute(text("SET session_replication_role = DEFAULT"))
    db.session.commit()
    with pytest.raises(Refused, match="1 accounts do not hold"):
        start_closing(SYSTEM, BOOK, DAY)


def test_only_the_finance_of_the_province_closes(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    for user in (make_user("finance", "6101"), make_user("reviewer")):
        for step in (start_closing, cancel_closing, close, lock):
            with pytest.raises(Forbidden):
                step(user, BOOK, DAY)
        with pytest.raises(Forbidden):
            ask_reopening(user, BOOK, DAY, "x")
        with pytest.raises(Forbidden):
            reopen(user, 1)
    assert db.session.scalars(select(Reopening)).all() == []
