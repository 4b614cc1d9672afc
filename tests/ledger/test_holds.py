"""Money held of a budget line: never more than is free, settled at most with what is held, given back once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused
from core.extensions import db
from core.ledger import closing, holds
from core.ledger.booking import post, reverse
from core.ledger.holds import Held, hold, settle, void
from core.ledger.models import BudgetLine
from core.ledger.posting import Posting
from core.ledger.verify import verify_budgets
from core.ledger.verify_books import verify_books
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services


def held_and_used() -> tuple[int, int]:
    """What the one line says."""
    db.session.expire_all()
    line = db.session.scalars(select(BudgetLine)).one()
    return line.held_fen, line.used_fen


def take(line_id: int, fen: int, key: str = "1", **more: object) -> Held:
    return hold(SYSTEM, scope="test", key=key, budget_line_id=line_id, amount_fen=fen, **more)  # type: ignore[arg-type]


def test_a_hold_takes_the_last_fen_and_not_one_more(line_id: int) -> None:
    for key, amount in (("a", 0), ("b", -1), ("c", 10**15 + 1)):
        with pytest.raises(Refused):
            take(line_id, amount, key)
    take(line_id, 1_000)
    with pytest.raises(Refused, match=r"西安市总工会 lacks 0\.01 yuan"):
        take(line_id, 1, "2")
    assert held_and_used() == (1_000, 0)
    with pytest.raises(NotFound):
        take(10**9, 1, "3")


def test_a_hold_is_idempotent_and_its_refusal_stays(line_id: int) -> None:
    first, again = take(line_id, 600), take(line_id, 600)
    assert (first.replayed, again.replayed, first.hold.id == again.hold.id) == (False, True, True)
    with pytest.raises(Refused, match="has been used"):
        take(line_id, 601)
    with pytest.raises(Refused, match=r"lacks 1\.00 yuan"):
        take(line_id, 500, "2")
    void(SYSTEM, hold_id=first.hold.id)
    with pytest.raises(Refused, match=r"lacks 1\.00 yuan"):
        take(line_id, 500, "2")
    assert held_and_used() == (0, 0)


def test_one_key_may_stand_for_a_refused_hold_and_for_an_entry(line_id: int, posting: Posting) -> None:
    with pytest.raises(Refused):
        take(line_id, 1_001, posting.key)
    post(SYSTEM, replace(posting, scope="test"))
    assert list(verify_books()) == []


def test_what_is_settled_is_used_and_the_rest_is_free(line_id: int, spending: Posting) -> None:
    held = take(line_id, 600).hold.id
    with pytest.raises(Refused, match=r"No more than the 6\.00 yuan"):
        settle(SYSTEM, hold_id=held, posting=replace(spending, key="0", legs=[("50205", 601), ("102", -601)]))
    with pytest.raises(Refused, match="not of the union"):
        settle(SYSTEM, hold_id=held, posting=replace(spending, key="x", program_year_id=None))
    part = replace(spending, legs=[("50205", 400), ("102", -400)])
    done = settle(SYSTEM, hold_id=held, posting=part)
    assert held_and_used() == (0, 400)
    assert settle(SYSTEM, hold_id=held, posting=part).entry.id == done.entry.id
    for ended in (
        lambda: void(SYSTEM, hold_id=held),
        lambda: settle(SYSTEM, hold_id=held, posting=replace(part, key="2")),
    ):
        with pytest.raises(Refused, match="settled already"):
            ended()
    other = take(line_id, 100, "other").hold.id
    with pytest.raises(Refused, match="has been used"):
        settle(SYSTEM, hold_id=other, posting=part)
    assert [*verify_budgets(), *verify_books()] == []


def test_what_a_settlement_used_is_free_again_when_it_is_reversed(line_id: int, spending: Posting) -> None:
    entry = settle(SYSTEM, hold_id=take(line_id, 1_000).hold.id, posting=spending).entry
    reverse(SYSTEM, scope="test", key="back", entry_id=entry.id, effective_on=DAY, reason="误发")
    assert held_and_used() == (0, 0)
    assert [*verify_budgets(), *verify_books()] == []


def test_a_hold_is_given_back_once_and_stays_so(line_id: int, spending: Posting) -> None:
    held = take(line_id, 600).hold.id
    assert [void(SYSTEM, hold_id=held).replayed for _time in range(2)] == [False, True]
    with pytest.raises(Refused, match="given back already"):
        settle(SYSTEM, hold_id=held, posting=spending)
    with pytest.raises(NotFound):
        void(SYSTEM, hold_id=10**9)
    assert held_and_used() == (0, 0)


def test_the_clock_gives_back_what_ran_out(line_id: int, spending: Posting) -> None:
    now = datetime.now(UTC)
    late = take(line_id, 600, "late", expires_at=now - timedelta(seconds=1)).hold.id
    take(line_id, 100, "soon", expires_at=now + timedelta(hours=1))
    take(line_id, 100, "never")
    with pytest.raises(Refused, match="has expired"):
        settle(SYSTEM, hold_id=late, posting=spending)
    assert (holds.expire(), holds.expire()) == (1, 0)
    assert held_and_used() == (200, 0)
    with pytest.raises(Refused, match="has expired"):
        void(SYSTEM, hold_id=late)
    assert list(verify_budgets()) == []


def test_who_may_hold(campaign: Campaign, line_id: int, spending: Posting) -> None:
    held = take(line_id, 600).hold.id
    with pytest.raises(Forbidden):
        hold(campaign.clerk, scope="x", key="1", budget_line_id=line_id, amount_fen=1)
    with pytest.raises(Forbidden):
        void(campaign.clerk, hold_id=held)
    with pytest.raises(Forbidden):
        settle(campaign.clerk, hold_id=held, posting=spending)
    assert settle(campaign.finance, hold_id=held, posting=spending).entry.user_id == campaign.finance.id


def test_a_period_is_not_closed_over_what_is_held(
    line_id: int, spending: Posting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "today", lambda: date(2014, 1, 31))
    held = take(line_id, 600).hold.id
    monkeypatch.setattr(holds, "today", lambda: date(2014, 2, 1))
    take(line_id, 1, "february")
    with pytest.raises(Refused, match=r"1 holds of this period are open, 6\.00 yuan"):
        closing.start_closing(SYSTEM, "statutory", DAY)
    void(SYSTEM, hold_id=held)
    closing.start_closing(SYSTEM, "statutory", DAY)
    post(SYSTEM, replace(spending, effective_on=date(2014, 2, 1), legs=[("102", 600), ("402", -600)]))
