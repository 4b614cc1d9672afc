"""Allotting down five levels, taking back, and idempotence by key."""

import threading
from datetime import date
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from core.audit.services import SYSTEM
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.ledger import budgets
from core.ledger.allotting import Share, allot, share_out, take_back
from core.ledger.budget_queries import allotments_of, budgets_of
from core.ledger.models import Allotment, Entry
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.programs.services import close
from core.users.models import User
from core.users.testing import MakeUser
from core.wall import beyond_scope
from tests.disbursements.conftest import Campaign
from tests.ledger.money import DAY, balances, findings, fund, give, line, take

pytestmark = pytest.mark.services
PROVINCE = Scope(("/61/",))


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are compared in English."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")


def test_money_goes_down_five_levels_and_every_line_says_where_it_is(campaign: Campaign) -> None:
    chain = ["61", "6101", "610102", "610102001", "unit"]
    unit = Org(
        code="unit", name="大华厂工会", short_name="大华厂", pinyin="", initials="", level="enterprise",
        kind="enterprise", parent_id=campaign.orgs["610102001"].id, path="/61/6101/610102/610102001/unit/",
    )  # fmt: skip
    db.session.add(unit)
    db.session.commit()
    campaign.orgs["unit"] = unit
    fund(campaign, 1_000, "61")
    for step, (giver, receiver) in enumerate(pairwise(chain)):
        give(campaign, giver, 1_000 - 100 * (step + 1), receiver, key=f"step{step}")
    assert [line(code) for code in chain] == [
        (1_000, 0, 900),
        (900, 0, 800),
        (800, 0, 700),
        (700, 0, 600),
        (600, 0, 0),
    ]
    rows = {row.org.code: row for row in budgets_of(campaign.year, PROVINCE)}
    assert sum(row.free_fen for row in rows.values()) == 1_000
    assert {code: row.free_fen for code, row in rows.items()} == dict.fromkeys(chain[:4], 100) | {"unit": 600}
    assert findings() == []


def test_a_level_may_be_left_out_but_never_the_direction(campaign: Campaign) -> None:
    fund(campaign, 1_000, "61", "610102")
    give(campaign, "61", 1_000, "610102001")
    assert line("610102001") == (1_000, 0, 0)
    for receiver in ("6101", "61", "610103", "6102"):
        with pytest.raises(Refused, match="is not below"):
            give(campaign, "610102", 1, receiver, key=f"wrong-{receiver}")


def test_a_union_that_is_no_longer_active_gets_nothing(campaign: Campaign) -> None:
    fund(campaign, 1_000, "61")
    campaign.orgs["6111"].active = False
    db.session.commit()
    with pytest.raises(Refused, match="no longer active"):
        give(campaign, "61", 100, "6101", "6111")


def test_the_remainder_goes_fen_by_fen_to_the_largest() -> None:
    assert share_out(100, [Share(1, 1), Share(2, 1), Share(3, 1)]) == {1: 34, 2: 33, 3: 33}
    assert share_out(101, [Share(3, 1), Share(2, 1), Share(1, 1)]) == {1: 34, 2: 34, 3: 33}
    assert share_out(1, [Share(1, 1), Share(2, 2)]) == {2: 1}
    assert share_out(7, [Share(1, 0), Share(2, 3)]) == {2: 7}


def test_one_union_more_than_a_booking_takes_is_refused(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    fund(campaign, 1_000, "61")
    monkeypatch.setattr("core.ledger.allotting.MOST_RECEIVERS", 2)
    give(campaign, "61", 100, "6101", "6102")
    with pytest.raises(Refused, match="more than 2 unions"):
        give(campaign, "61", 100, "6101", "6102", "6111", key="three")


def test_the_same_booking_again_gives_what_was_booked(campaign: Campaign) -> None:
    first = fund(campaign, 1_000, "61")
    assert [row.id for row in fund(campaign, 1_000, "61")] == [row.id for row in first]
    given = give(campaign, "61", 300, "6101", "6102")
    again = give(campaign, "61", 300, "6101", "6102")
    back = take(campaign, given[0], 50)
    assert [row.id for row in again] == [row.id for row in given]
    assert [row.id for row in take(campaign, given[0], 50)] == [row.id for row in back]
    assert (line("61"), line("6101")) == ((1_000, 0, 250), (100, 0, 0))
    assert db.session.scalar(select(func.count()).select_from(Entry)) == 1 + 3 + 2


@pytest.mark.parametrize(
    "change",
    [{"fen": 301}, {"codes": ("6101",)}, {"giver": "6101", "codes": ("610102",)}, {"source": "dues"},
     {"description": "另一笔"}],
)  # fmt: skip
def test_another_booking_under_the_same_key_is_refused(campaign: Campaign, change: dict[str, object]) -> None:
    fund(campaign, 1_000, "61", "6101")
    fund(campaign, 1_000, "61", source="dues", key="dues")
    give(campaign, "61", 300, "6101", "6102")
    said = {"giver": "61", "fen": 300, "codes": ("6101", "6102"), "source": "union", "description": "下拨"} | change
    with pytest.raises(Refused, match="under this key"):
        give(campaign, said["giver"], said["fen"], *said["codes"], source=said["source"],  # type: ignore[misc,arg-type]
             description=said["description"])  # type: ignore[arg-type]  # fmt: skip


def test_the_same_booking_twice_at_once_books_once(app: Flask, campaign: Campaign) -> None:
    fund(campaign, 1_000, "61")
    ids = campaign.finance.id, campaign.year.id, campaign.orgs["61"].id, campaign.orgs["6101"].id
    done: list[list[int]] = []
    barrier = threading.Barrier(4)

    def book() -> None:
        with app.app_context(), beyond_scope("a test"):
            user = db.session.get_one(User, ids[0])
            year, giver = db.session.get_one(ProgramYear, ids[1]), db.session.get_one(Org, ids[2])
            barrier.wait()
            rows = allot(
                user, year, key="once", giver=giver, shares=[Share(ids[3], 1)], amount_fen=700,
                effective_on=DAY, description="",
            )  # fmt: skip
            done.append([row.id for row in rows])

    threads = [threading.Thread(target=book) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(done) == 4
    assert len({tuple(ids) for ids in done}) == 1
    assert line("6101") == (700, 0, 0)


def test_taken_back_in_part_and_then_wholly(campaign: Campaign) -> None:
    fund(campaign, 1_000, "61")
    (row,) = give(campaign, "61", 600, "6101")
    before = balances()
    (back,) = take(campaign, row, 250)
    assert (back.takes_back, back.from_org_id, back.amount_fen) == (row.id, campaign.orgs["61"].id, 250)
    assert (line("61"), line("6101")) == ((1_000, 0, 350), (350, 0, 0))
    assert [given.left_fen for given in allotments_of(campaign.year, PROVINCE, key="down")] == [350]
    assert budgets_of(campaign.year, PROVINCE)[0].passed_down_fen == 350
    take(campaign, row, 350, key="rest")
    assert (line("61"), line("6101")) == ((1_000, 0, 0), (0, 0, 0))
    assert balances() == {("61", "102"): 1_000, ("61", "402"): -1_000}
    assert balances() != before
    assert findings() == []
    with pytest.raises(Refused, match=r"only 0\.00 yuan can still"):
        take(campaign, row, 1, key="more")


def test_own_funds_are_withdrawn_likewise(campaign: Campaign) -> None:
    (row,) = fund(campaign, 1_000, "61", source="society")
    take(campaign, row, 400)
    assert line("61", "society") == (600, 0, 0)
    assert balances() == {("61", "102"): 600, ("61", "408"): -600}
    assert findings() == []


@pytest.mark.parametrize("held", [0, 100])
def test_what_is_free_can_be_taken_back_and_not_a_fen_more(campaign: Campaign, held: int) -> None:
    fund(campaign, 1_000, "61")
    (row,) = give(campaign, "61", 600, "6101")
    give(campaign, "6101", 200, "610102", key="further")
    if held:
        budgets.hold(campaign.year.id, {campaign.orgs["6101"].id: held})
        db.session.commit()
    free = 400 - held
    with pytest.raises(Refused, match=rf"西安市总工会 has {free / 100:.2f} yuan free"):
        take(campaign, row, free + 1)
    db.session.rollback()
    take(campaign, row, free)
    assert line("6101") == (600 - free, held, 200)


def test_not_before_it_was_given_nor_in_the_future(campaign: Campaign) -> None:
    fund(campaign, 1_000, "61")
    (row,) = give(campaign, "61", 600, "6101")
    for day in (date(2014, 1, 1), date(2099, 1, 1)):
        with pytest.raises(Refused) as refusal:
            take(campaign, row, 1, day=day)
        assert refusal.value.field == "effective_on"
        db.session.rollback()


@pytest.mark.parametrize("fen", [0, -1])
def test_nothing_is_not_taken_back(campaign: Campaign, fen: int) -> None:
    (row,) = fund(campaign, 1_000, "61")
    with pytest.raises(ZhijiaError, match="more than nothing"):
        take(campaign, row, fen)


def test_one_booking_at_a_time_and_only_of_this_year(campaign: Campaign) -> None:
    (one,), (other,) = fund(campaign, 100, "61"), fund(campaign, 100, "61", key="again")
    (back,) = take(campaign, one, 10)
    with pytest.raises(Refused, match="one booking at a time"):
        take_back(
            campaign.finance, campaign.year, key="x", amounts={one.id: 1, other.id: 1}, effective_on=DAY, description=""
        )
    for unknown in ({back.id: 1}, {10**9: 1}, {}):
        with pytest.raises(NotFound):
            take_back(campaign.finance, campaign.year, key="x", amounts=unknown, effective_on=DAY, description="")


def test_only_the_giver_takes_back(campaign: Campaign, make_user: MakeUser) -> None:
    city, county = make_user("finance", "6101"), make_user("finance", "610102")
    fund(campaign, 1_000, "61")
    (to_city,) = give(campaign, "61", 600, "6101")
    (to_county,) = give(campaign, "6101", 300, "610102", key="county", actor=city)
    (own,) = fund(campaign, 50, "610102", key="county-own")
    for user, row in ((city, to_city), (county, to_county), (campaign.clerk, to_city)):
        with pytest.raises(Forbidden):
            take(campaign, row, 1, actor=user)
    take(campaign, to_county, 1, actor=city, key="c")
    take(campaign, own, 1, actor=county, key="o")


def test_a_county_cannot_allot_for_another(campaign: Campaign, make_user: MakeUser) -> None:
    fund(campaign, 1_000, "610103")
    with pytest.raises(Forbidden):
        give(campaign, "610103", 1, "610102001", actor=make_user("finance", "610102"))


def test_a_closed_year_gives_and_takes_nothing(campaign: Campaign) -> None:
    (row,) = fund(campaign, 1_000, "61")
    close(SYSTEM, campaign.year)
    with pytest.raises(Refused, match="not open"):
        take(campaign, row, 1)
    with pytest.raises(Refused, match="not open"):
        give(campaign, "61", 1, "6101")


BY_HAND = text(
    "INSERT INTO core_allotment (program_year_id, key, org_id, org_path, from_org_id, source, weight, amount_fen,"
    " entry_id, takes_back) SELECT program_year_id, 'by-hand-' || :fen, org_id, org_path, from_org_id, source, 1, :fen,"
    " entry_id, :takes FROM core_allotment WHERE id = :row"
)


def insert_back(row: Allotment, *, org: int | None = None, fen: int = 1, takes: int | None = None) -> None:
    """A row that takes back, by hand: of another union with the row ``org``, or of the row ``takes``."""
    db.session.execute(BY_HAND, {"fen": fen, "takes": takes or row.id, "row": org or row.id})


def test_the_database_takes_back_no_more_than_was_given(campaign: Campaign) -> None:
    (row,) = fund(campaign, 1_000, "61")
    take(campaign, row, 400)
    insert_back(row, fen=600)
    with pytest.raises(DBAPIError, match="more is taken back"):
        insert_back(row, fen=1)
    db.session.rollback()


def test_the_database_takes_back_from_the_same_union_and_never_twice_over(campaign: Campaign) -> None:
    one, other = fund(campaign, 1_000, "61", "6101")
    (back,) = take(campaign, one, 400)
    for wrong in ({"org": other.id}, {"takes": back.id}):
        with pytest.raises(DBAPIError, match="cannot be taken back"):
            insert_back(one, **wrong)
        db.session.rollback()


@pytest.mark.as_owner
@pytest.mark.parametrize(
    "statement",
    ["UPDATE core_allotment SET takes_back = NULL WHERE takes_back IS NOT NULL",
     "UPDATE core_allotment SET amount_fen = amount_fen + 1 WHERE takes_back IS NOT NULL",
     "UPDATE core_run SET source = 'dues'",
     "UPDATE core_budget_line SET source = 'finance' WHERE source = 'union'"],
)  # fmt: skip
def test_tampering_with_sources_and_what_was_taken_back_is_found(campaign: Campaign, statement: str) -> None:
    (row, *_rest) = fund(campaign, 10_000, "6101", "6102", "6111")
    take(campaign, row, 400)
    fund(campaign, 10_000, "6101", "6102", "6111", source="dues", key="dues")
    campaign.computed()
    assert findings() == []
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    if "core_budget_line" in statement:
        db.session.execute(text("DELETE FROM core_budget_line WHERE source = 'dues'"))
    db.session.execute(text(statement))
    db.session.commit()
    assert findings() != []
