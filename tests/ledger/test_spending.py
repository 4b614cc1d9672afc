"""What is known already is held and settled in one transaction: all of it, or a sentence and nothing."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused
from core.extensions import db
from core.ledger.booking import reverse
from core.ledger.holds import hold, settle, spend
from core.ledger.models import BudgetLine, Entry, Hold
from core.ledger.posting import Posting
from core.ledger.verify import verify_budgets
from core.ledger.verify_books import verify_books
from core.programs.services import close as close_year
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services


def line() -> tuple[int, int, int]:
    row = db.session.scalars(select(BudgetLine).execution_options(populate_existing=True)).one()
    return row.allotted_fen, row.held_fen, row.used_fen


def sized(spending: Posting, fen: int, key: str) -> Posting:
    return replace(spending, key=key, legs=[("50205", fen), ("102", -fen)])


def test_the_whole_line_is_spent_and_not_a_fen_more(line_id: int, spending: Posting) -> None:
    assert not spend(SYSTEM, budget_line_id=line_id, posting=sized(spending, 999, "1")).replayed
    with pytest.raises(Refused, match=r"lacks 0\.01 yuan"):
        spend(SYSTEM, budget_line_id=line_id, posting=sized(spending, 2, "2"))
    spend(SYSTEM, budget_line_id=line_id, posting=sized(spending, 1, "3"))
    assert line() == (1_000, 0, 1_000)
    assert [*verify_budgets(), *verify_books()] == []


def test_the_same_key_spends_once_and_takes_nothing_else(line_id: int, spending: Posting) -> None:
    written: list[int] = []
    first = spend(SYSTEM, budget_line_id=line_id, posting=spending, then=lambda entry: written.append(entry.id))
    again = spend(SYSTEM, budget_line_id=line_id, posting=spending, then=lambda entry: written.append(entry.id))
    assert (again.replayed, again.entry.id, written) == (True, first.entry.id, [first.entry.id])
    with pytest.raises(Refused, match="has been used"):
        spend(SYSTEM, budget_line_id=line_id, posting=replace(spending, title="x"))
    held = hold(SYSTEM, scope="test", key="1", budget_line_id=line_id, amount_fen=100).hold.id
    settled = sized(spending, 100, "settled")
    settle(SYSTEM, hold_id=held, posting=settled)
    assert spend(SYSTEM, budget_line_id=line_id, posting=settled).replayed  # it came from this line
    assert line() == (1_000, 0, 700)


def test_what_belongs_to_it_is_written_with_it_or_nothing_is(line_id: int, spending: Posting) -> None:
    def refuse(_entry: Entry) -> None:
        raise Refused("not this one")

    before = db.session.scalar(select(func.count()).select_from(Entry))
    with pytest.raises(Refused, match="not this one"):
        spend(SYSTEM, budget_line_id=line_id, posting=spending, then=refuse)
    assert line() == (1_000, 0, 0)
    assert db.session.scalar(select(func.count()).select_from(Entry)) == before
    assert db.session.scalars(select(Hold)).all() == []


def test_a_reversal_frees_it_and_writes_what_belongs_to_it(line_id: int, spending: Posting) -> None:
    entry_id = spend(SYSTEM, budget_line_id=line_id, posting=spending).entry.id
    written: list[int | None] = []
    for _time in range(2):
        reverse(SYSTEM, scope="back", key="1", entry_id=entry_id, effective_on=DAY, reason="误记",
                then=lambda entry: written.append(entry.reverses))  # fmt: skip
    assert written == [entry_id]
    assert line() == (1_000, 0, 0)


def test_who_may_not_and_what_is_not_of_the_line(campaign: Campaign, line_id: int, spending: Posting) -> None:
    with pytest.raises(Forbidden):
        spend(campaign.clerk, budget_line_id=line_id, posting=spending)
    with pytest.raises(NotFound):
        spend(SYSTEM, budget_line_id=10**9, posting=spending)
    other = campaign.orgs["6102"]
    with pytest.raises(Refused, match="not of the union"):
        spend(SYSTEM, budget_line_id=line_id, posting=replace(spending, key="2", org_id=other.id, org_path=other.path))
    with pytest.raises(Refused, match="runs and allotments"):
        spend(SYSTEM, budget_line_id=line_id, posting=replace(spending, scope="run"))
    close_year(SYSTEM, campaign.year)
    with pytest.raises(Refused, match="not open"):
        spend(campaign.finance, budget_line_id=line_id, posting=spending)
    assert line() == (1_000, 0, 0)
