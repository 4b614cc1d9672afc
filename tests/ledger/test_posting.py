"""The fund ledger: what may be posted, once; allotting to the fen; what the database refuses by itself."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.ledger import budgets
from core.ledger.allotting import Share, allot, fund_from_own
from core.ledger.models import Allotment, BudgetLine, Entry
from core.ledger.posting import Posting, post_entries
from core.ledger.verify import verify_balance, verify_chain
from core.money import split_by_weight
from core.org.models import Org
from core.programs.services import close
from core.users.access import today
from core.users.testing import MakeUser
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services


def test_the_same_key_finds_the_same_entry(posting: Posting) -> None:
    (first,) = post_entries(SYSTEM, [posting])
    db.session.commit()
    (second,) = post_entries(SYSTEM, [posting])
    assert first.id == second.id


@pytest.mark.parametrize(
    "change", [{"legs": [("102", 1), ("402", -1)]}, {"effective_on": date(2014, 1, 3)}, {"title": "x"}]
)
def test_the_same_key_for_something_else_is_refused(posting: Posting, change: dict[str, object]) -> None:
    post_entries(SYSTEM, [posting])
    db.session.commit()
    with pytest.raises(Refused, match="test/1"):
        post_entries(SYSTEM, [replace(posting, **change)])  # type: ignore[arg-type]


def test_an_entry_is_reversed_at_most_once(posting: Posting) -> None:
    (entry,) = post_entries(SYSTEM, [posting])
    mirror = replace(posting, key="2", legs=[("102", -10_000), ("402", 10_000)], reverses=entry.id)
    post_entries(SYSTEM, [mirror])
    with pytest.raises(Refused, match="already"):
        post_entries(SYSTEM, [replace(mirror, key="3")])


def test_what_is_posted_together_counts_together(posting: Posting) -> None:
    """The bank has nothing: money goes out and comes in, in one posting after the other and in one entry."""
    out = replace(posting, key="out", legs=[("506", 10_000), ("102", -10_000)])
    through = replace(posting, key="through", legs=[("102", -5), ("506", 5), ("102", 5), ("402", -5)])
    post_entries(SYSTEM, [out, posting, through])
    db.session.commit()
    assert [*verify_balance(), *verify_chain()] == []
    with pytest.raises(Refused, match="lacks"):
        post_entries(SYSTEM, [replace(out, key="again")])


def test_the_database_refuses_an_entry_without_balance(posting: Posting) -> None:
    entry_id = post_entries(SYSTEM, [posting])[0].id
    db.session.execute(text("INSERT INTO core_leg SELECT entry_id, 3, account_id, 5 FROM core_leg WHERE line = 1"))
    with pytest.raises(DBAPIError, match="does not balance"):
        db.session.commit()
    db.session.rollback()
    assert db.session.get(Entry, entry_id) is None


def test_the_database_refuses_an_entry_without_legs(posting: Posting) -> None:
    post_entries(SYSTEM, [posting])
    db.session.execute(text(
        "INSERT INTO core_entry (book, seq, org_id, org_path, effective_on, kind, title, description, scope, key,"
        " previous, digest) SELECT book, seq + 1, org_id, org_path, effective_on, kind, title, description, scope,"
        " 'x', digest, sha256('x') FROM core_entry"))  # fmt: skip
    with pytest.raises(DBAPIError, match="does not balance"):
        db.session.commit()
    db.session.rollback()


def test_an_entry_keeps_to_the_accounts_of_its_union(posting: Posting, small_tree: dict[str, Org]) -> None:
    post_entries(SYSTEM, [posting, replace(posting, key="2", org_id=small_tree["6101"].id, org_path="/61/6101/")])
    db.session.execute(text(
        "INSERT INTO core_leg SELECT (SELECT max(id) FROM core_entry), line + 2, account_id, amount_fen"
        " FROM core_leg WHERE entry_id = (SELECT min(id) FROM core_entry)"))  # fmt: skip
    with pytest.raises(DBAPIError, match="another book or union"):
        db.session.commit()
    db.session.rollback()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(-(10**9), 10**9).filter(bool), min_size=1, max_size=4), min_size=1, max_size=4))
def test_whatever_is_posted_balances_and_chains(posting: Posting, batches: list[list[int]]) -> None:
    before = db.session.scalars(select(Entry.seq).order_by(Entry.seq.desc()).limit(1)).first() or 0
    postings = []
    for number, amounts in enumerate(batches):
        total = sum(amounts)
        legs = [("506", amount) for amount in amounts] + ([("402", -total)] if total else [])
        if len(legs) > 1:
            postings.append(replace(posting, key=f"{before}:{number}", legs=legs))
    entries = post_entries(SYSTEM, postings)
    db.session.commit()
    assert [entry.seq for entry in entries] == list(range(before + 1, before + 1 + len(postings)))
    assert [*verify_balance(), *verify_chain()] == []


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=50).filter(any))
def test_no_fen_is_lost_in_splitting(total: int, weights: list[int]) -> None:
    parts = split_by_weight(total, weights)
    whole = sum(weights)
    assert sum(parts) == total
    assert all(0 <= part - total * weight // whole <= 1 for part, weight in zip(parts, weights, strict=True))
    assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)


def shares(campaign: Campaign, **weights: int) -> list[Share]:
    """Shares by org code; the keyword is c6101 for 6101."""
    return [Share(campaign.orgs[code[1:]].id, weight) for code, weight in weights.items()]


def give(campaign: Campaign, amount: int, share_list: list[Share], key: str = "province") -> list[Allotment]:
    """Allot from the province."""
    return allot(
        campaign.finance,
        campaign.year,
        key=key,
        giver=campaign.orgs["61"],
        shares=share_list,
        amount_fen=amount,
        effective_on=DAY,
        description="省级下拨",
    )


def lines(campaign: Campaign) -> dict[str, tuple[int, int]]:
    """Path -> allotted and used."""
    return {line.org_path: (line.allotted_fen, line.used_fen) for line in db.session.scalars(select(BudgetLine))}


def test_an_allotment_is_shared_to_the_fen_and_taken_from_the_giver(campaign: Campaign) -> None:
    campaign.fund(1_000, "61")
    given_out = give(campaign, 1_000, shares(campaign, c6101=4, c6102=2, c6111=1))
    assert [allotment.amount_fen for allotment in given_out] == [571, 286, 143]
    assert lines(campaign) == {
        "/61/": (1_000, 1_000),
        "/61/6101/": (571, 0),
        "/61/6102/": (286, 0),
        "/61/6111/": (143, 0),
    }


def test_more_than_the_giver_has_is_refused(campaign: Campaign) -> None:
    campaign.fund(1_000, "61")
    with pytest.raises(Refused, match="陕西省总工会"):
        give(campaign, 1_001, shares(campaign, c6101=1))
    db.session.rollback()
    assert db.session.scalars(select(Allotment).where(Allotment.from_org_id.is_not(None))).all() == []


@pytest.mark.parametrize(
    ("amount", "receivers", "refusal"),
    [
        (0, {"c6101": 1}, ZhijiaError),
        (-1, {"c6101": 1}, ZhijiaError),
        (1_000, {}, Refused),
        (1_000, {"c6101": 0}, Refused),
        (1_000, {"c61": 1}, Refused),
    ],
)
def test_a_wrong_allotment_is_refused(
    campaign: Campaign, amount: int, receivers: dict[str, int], refusal: type[ZhijiaError]
) -> None:
    campaign.fund(1_000, "61")
    with pytest.raises(refusal):
        give(campaign, amount, shares(campaign, **receivers))


def test_an_unknown_receiver_is_refused(campaign: Campaign) -> None:
    campaign.fund(1_000, "61")
    with pytest.raises(NotFound):
        give(campaign, 1_000, [Share(10**9, 1)])


def test_own_funds_are_more_than_nothing_and_of_known_unions(campaign: Campaign) -> None:
    with pytest.raises(ZhijiaError):
        campaign.fund(0, "61")
    with pytest.raises(NotFound):
        fund_from_own(campaign.finance, campaign.year, key="x", amounts={10**9: 1}, effective_on=DAY, description="")


def test_a_clerk_and_another_citys_finance_may_not_book(campaign: Campaign, make_user: MakeUser) -> None:
    for user in (campaign.clerk, make_user("finance", "6102")):
        with pytest.raises(Forbidden):
            fund_from_own(
                user,
                campaign.year,
                key="x",
                amounts={campaign.orgs["6101"].id: 1},
                effective_on=DAY,
                description="",
            )


def test_money_is_booked_up_to_today_and_not_later(campaign: Campaign) -> None:
    def book(day: date, key: str) -> None:
        amounts = {campaign.orgs["61"].id: 1}
        fund_from_own(campaign.finance, campaign.year, key=key, amounts=amounts, effective_on=day, description="")

    book(today(), "today")
    with pytest.raises(Refused) as refusal:
        book(today() + timedelta(days=1), "tomorrow")
    assert refusal.value.field == "effective_on"


def test_a_closed_year_takes_no_money(campaign: Campaign) -> None:
    close(SYSTEM, campaign.year)
    with pytest.raises(Refused, match=r"未开放|not open"):
        campaign.fund(1, "61")


def test_the_database_itself_refuses_overspending(campaign: Campaign) -> None:
    campaign.fund(1_000, "61")
    with pytest.raises(IntegrityError):
        db.session.execute(text("UPDATE core_budget_line SET held_fen = 1001"))


def test_a_hold_up_to_the_last_fen_and_not_beyond(campaign: Campaign) -> None:
    campaign.fund(1_000, "6101")
    org = campaign.orgs["6101"].id
    budgets.hold(campaign.year.id, {org: 1_000})
    with pytest.raises(Refused, match=r"0\.01"):
        budgets.hold(campaign.year.id, {org: 1})
