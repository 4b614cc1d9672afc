"""An entry is undone once, by one that mirrors it, in an open period, and not behind the back of its subledger."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused
from core.extensions import db
from core.ledger import closing
from core.ledger.booking import post, reverse
from core.ledger.holds import hold, settle
from core.ledger.models import BOOKINGS, RUNS, AccountBalance, Allotment, BudgetLine, Entry
from core.ledger.posting import Posted, Posting, legs_of
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY
from tests.ledger.money import take

pytestmark = pytest.mark.services


def undo(entry_id: int, key: str, day: object = DAY, reason: str = "误记") -> Posted:
    return reverse(SYSTEM, scope="test", key=key, entry_id=entry_id, effective_on=day, reason=reason)  # type: ignore[arg-type]


def test_an_entry_is_undone_once_and_no_reversal_is(posting: Posting) -> None:
    entry = post(SYSTEM, posting).entry
    back = undo(entry.id, "back")
    assert legs_of(back.entry) == [("102", -10_000), ("402", 10_000)]
    assert (back.entry.reverses, back.entry.description) == (entry.id, "误记")
    assert set(db.session.scalars(select(AccountBalance.posted_fen))) == {0}
    assert undo(entry.id, "back").replayed
    with pytest.raises(Refused, match="has been used"):
        undo(entry.id, "back", reason="另一")
    with pytest.raises(Refused, match="reversed already"):
        undo(entry.id, "again")
    with pytest.raises(Refused, match="A reversal is not reversed"):
        undo(back.entry.id, "back of back")


def test_what_cannot_be_undone(posting: Posting, campaign: Campaign) -> None:
    entry = post(SYSTEM, posting).entry
    campaign.fund(1_000, "6101")
    funds = db.session.scalars(select(Entry).where(Entry.scope == "own_funds")).one()
    with pytest.raises(Refused, match="runs and allotments"):
        undo(funds.id, "a")
    (row,) = db.session.scalars(select(Allotment))
    take(campaign, row, 400)
    taken = db.session.scalars(select(Entry).where(Entry.scope == "taken_back")).one()
    with pytest.raises(Refused, match="runs and allotments"):
        undo(taken.id, "t")
    with pytest.raises(Refused, match="Say why"):
        undo(entry.id, "b", reason=" ")
    for scope in (*BOOKINGS, *RUNS):
        with pytest.raises(Refused, match="runs and allotments"):
            reverse(SYSTEM, scope=scope, key="c", entry_id=entry.id, effective_on=DAY, reason="x")
    with pytest.raises(NotFound):
        undo(10**9, "d")
    with pytest.raises(Forbidden):
        reverse(campaign.clerk, scope="test", key="e", entry_id=entry.id, effective_on=DAY, reason="x")


def test_what_a_hold_had_used_is_given_back_once(line_id: int, spending: Posting) -> None:
    held = hold(SYSTEM, scope="test", key="1", budget_line_id=line_id, amount_fen=600).hold
    entry = settle(SYSTEM, hold_id=held.id, posting=spending).entry
    undo(entry.id, "back")
    with pytest.raises(Refused, match="reversed already"):
        undo(entry.id, "again")
    assert db.session.get_one(BudgetLine, line_id).used_fen == 0


def test_an_entry_of_a_closed_period_is_undone_in_an_open_one(posting: Posting) -> None:
    entry = post(SYSTEM, posting).entry
    closing.start_closing(SYSTEM, "statutory", DAY)
    closing.close(SYSTEM, "statutory", DAY)
    with pytest.raises(Refused, match="2014-01 is closed"):
        undo(entry.id, "january")
    undo(entry.id, "february", DAY + timedelta(days=30))


def test_money_that_is_gone_cannot_be_taken_back(posting: Posting) -> None:
    entry = post(SYSTEM, posting).entry
    post(SYSTEM, Posting(**vars(posting) | {"key": "2", "legs": [("506", 1), ("102", -1)]}))
    with pytest.raises(Refused, match=r"lacks 0\.01 yuan"):
        undo(entry.id, "back")
