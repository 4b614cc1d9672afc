"""Goods in stock: spent once when they were bought, given out to the last one and no further, put back when undone."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError

from core.api import (
    SYSTEM,
    Forbidden,
    NotFound,
    Org,
    ProgramYear,
    Refused,
    ReportContext,
    Scope,
    User,
    ZhijiaError,
    budgets_of,
    db,
    today,
)
from core.audit.models import AuditLine
from core.disbursements.verify_all import verify_all
from core.ledger.models import Activity, Entry
from core.programs.services import close as close_year
from core.programs.services import enable
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.overview.reports import money
from plugins.four_seasons.stock import queries
from plugins.four_seasons.stock.models import Lot
from plugins.four_seasons.stock.reports import stock
from plugins.four_seasons.stock.services import Bought, buy_lot, undo_lot
from plugins.four_seasons.tests.conftest import MakePeople, id_number
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.visits.services import Visited, record_visit, undo_visit

pytestmark = pytest.mark.services
DAY, BOUGHT_ON = date(2014, 7, 15), date(2014, 7, 1)
LOT = Bought(
    key="1", org_code="6101", goods="绿豆汤料", measure="箱", quantity=20, price_fen=45_00, source="union",
    supplier="西安供销社", bought_on=BOUGHT_ON,
)  # fmt: skip
PAGE = "/2014/61/summer_coolness"


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    return make_user("finance", "6101")


@pytest.fixture
def lot(with_money: ProgramYear, finance: User) -> Lot:
    """20 boxes for 900 yuan; 100 are left on the line."""
    return buy_lot(finance, with_money, LOT)


def given(lot: Lot, quantity: int, key: str = "v", **changes: Any) -> Visited:
    values = {"key": key, "org_code": "6101", "visited_on": DAY, "party": "市总工会主席", "unit": "秦岭钢厂"}
    return Visited(**{**values, "lot_id": lot.id, "quantity": quantity, **changes})


def line(year: ProgramYear) -> tuple[int, int, int]:
    db.session.expire_all()
    (row,) = budgets_of(year, Scope(("/61/6101/",)))
    return row.allotted_fen, row.held_fen, row.used_fen


def left(lot: Lot) -> int:
    db.session.expire_all()
    return db.session.get_one(Lot, lot.id).remaining


def test_a_lot_is_spent_once_and_told_in_both_ledgers(with_money: ProgramYear, finance: User, lot: Lot) -> None:
    assert buy_lot(finance, with_money, LOT).id == lot.id
    assert line(with_money) == (1_000_00, 0, 900_00)
    entry, told = db.session.get_one(Entry, lot.entry_id), db.session.get_one(Activity, lot.activity_id)
    assert (entry.kind, entry.effective_on, told.entry_id) == ("four_seasons.lot", BOUGHT_ON, entry.id)
    assert "西安供销社" in entry.description
    assert (lot.remaining, lot.quantity) == (20, 20)
    assert list(verify_all()) == []
    with pytest.raises(Refused, match=r"lacks 0\.01 yuan"):
        buy_lot(finance, with_money, replace(LOT, key="2", quantity=1, price_fen=100_01))
    buy_lot(finance, with_money, replace(LOT, key="3", quantity=1, price_fen=100_00))
    assert line(with_money) == (1_000_00, 0, 1_000_00)


@pytest.mark.parametrize(
    ("change", "sentence", "field"),
    [
        ({"org_code": "6102"}, "no union with this code", "org_code"),
        ({"source": "society"}, "no budget of this source", "source"),
        ({"quantity": 0}, "more than nothing", "quantity"),
        ({"price_fen": 0}, "more than 0 yuan", "price"),
        ({"effective_on": BOUGHT_ON - timedelta(days=1)}, "before the day of its entry", "happened_on"),
    ],
)
def test_what_cannot_be_bought(
    with_money: ProgramYear, finance: User, change: dict[str, Any], sentence: str, field: str
) -> None:
    with pytest.raises(ZhijiaError, match=sentence) as refusal:
        buy_lot(finance, with_money, replace(LOT, **change))
    assert refusal.value.field == field
    assert line(with_money) == (1_000_00, 0, 0)


def test_nothing_is_bought_tomorrow(with_money: ProgramYear, finance: User, as_user: AsUser) -> None:
    tomorrow = today() + timedelta(days=1)
    with pytest.raises(Refused, match="lies in the future"):
        buy_lot(finance, with_money, replace(LOT, bought_on=tomorrow))
    page = as_user(finance).post(f"{PAGE}/stock/new", data=FORM | {"bought_on": tomorrow.isoformat()})
    assert "lies in the future" in page.text
    buy_lot(finance, with_money, replace(LOT, bought_on=today()))
    with pytest.raises(IntegrityError, match="ck_four_seasons_lot_bought_on"):
        db.session.execute(text("UPDATE four_seasons_lot SET bought_on = bought_on + 1"))


def test_a_visit_from_stock_spends_nothing_more(with_money: ProgramYear, finance: User, lot: Lot) -> None:
    visit = record_visit(finance, with_money, given(lot, 3))
    assert record_visit(finance, with_money, given(lot, 3)).id == visit.id
    assert (visit.entry_id, visit.amount_fen, visit.gift, visit.source) == (None, 135_00, "绿豆汤料 3 箱", "union")
    assert left(lot) == 17
    assert line(with_money) == (1_000_00, 0, 900_00)
    told = db.session.get_one(Activity, visit.activity_id)
    assert (told.held_on, told.entry_id, told.data["cadres"]) == (DAY, None, "市总工会主席")
    lines = select(func.count()).select_from(AuditLine).where(AuditLine.action == "visit.give")
    assert db.session.scalar(lines) == 1
    with pytest.raises(Refused, match="sent already, with other values"):
        record_visit(finance, with_money, given(lot, 4))
    assert left(lot) == 17


def test_a_lot_is_given_out_to_the_last_one_and_no_further(with_money: ProgramYear, finance: User, lot: Lot) -> None:
    with pytest.raises(Refused, match="Of this lot 20 箱 are left") as refusal:
        record_visit(finance, with_money, given(lot, 21))
    assert refusal.value.field == "quantity"
    assert left(lot) == 20
    record_visit(finance, with_money, given(lot, 20))
    assert left(lot) == 0
    with pytest.raises(Refused, match="Of this lot 0 箱 are left"):
        record_visit(finance, with_money, given(lot, 1, "w"))
    with pytest.raises(IntegrityError, match="ck_four_seasons_lot_remaining"):
        db.session.execute(text("UPDATE four_seasons_lot SET remaining = remaining - 1"))


def test_the_table_keeps_a_lot_and_an_entry_apart(with_money: ProgramYear, finance: User, lot: Lot) -> None:
    record_visit(finance, with_money, given(lot, 1))
    for change, rule in (
        ({"entry_id": lot.entry_id}, "paid"),
        ({"lot_id": None}, "paid|stock"),
        ({"quantity": 0}, "stock"),
        ({"kind": "cash"}, "stock"),
        ({"key": None}, "stock"),
        ({"reversal_id": lot.entry_id}, "undone"),
    ):
        with pytest.raises(IntegrityError, match=f"ck_four_seasons_visit_({rule})"):
            db.session.execute(update(Visit).values(change))
        db.session.rollback()
    with pytest.raises(IntegrityError, match="ck_four_seasons_lot_remaining"):
        db.session.execute(text("UPDATE four_seasons_lot SET remaining = 21"))


@pytest.mark.parametrize(
    ("change", "sentence", "field"),
    [
        ({"quantity": 0}, "more than nothing", "quantity"),
        ({"quantity": -1}, "more than nothing", "quantity"),
        ({"visited_on": BOUGHT_ON - timedelta(days=1)}, "bought after this day", "visited_on"),
        ({"lot_id": 4711}, "no such lot", "lot"),
        ({"org_code": "610102"}, "no such lot", "lot"),
        ({"org_code": "6102"}, "no union with this code", "org_code"),
    ],
)
def test_what_cannot_be_given_out(
    with_money: ProgramYear, finance: User, lot: Lot, change: dict[str, Any], sentence: str, field: str
) -> None:
    with pytest.raises(ZhijiaError, match=sentence) as refusal:
        record_visit(finance, with_money, replace(given(lot, 1), **change))
    assert refusal.value.field == field
    assert left(lot) == 20
    record_visit(finance, with_money, given(lot, 1, visited_on=BOUGHT_ON))


def test_a_worker_who_was_given_something_is_seen_with_goods_too(
    with_money: ProgramYear, finance: User, lot: Lot, make_people: MakePeople
) -> None:
    make_people(1)
    to_worker = given(lot, 1, unit="", id_number=id_number(0))
    first = record_visit(finance, with_money, to_worker)
    with pytest.raises(Refused, match=r"already: 1 visits, 45\.00 yuan") as refusal:
        record_visit(finance, with_money, replace(to_worker, key="2"))
    assert refusal.value.field == "again"
    record_visit(finance, with_money, replace(to_worker, key="3", again=True))
    assert left(lot) == 18
    undo_visit(finance, with_money, first, key="1", reason="误记")
    with pytest.raises(Refused, match="already: 1 visits"):
        record_visit(finance, with_money, replace(to_worker, key="4"))


def test_undoing_puts_the_goods_back_once(with_money: ProgramYear, finance: User, lot: Lot) -> None:
    visit = record_visit(finance, with_money, given(lot, 5))
    record_visit(finance, with_money, given(lot, 2, "w"))
    with pytest.raises(Refused, match="Say why"):
        undo_visit(finance, with_money, visit, key="1", reason=" ")
    undo_visit(finance, with_money, visit, key="1", reason="误记")
    with pytest.raises(Refused, match="undone already"):
        undo_visit(finance, with_money, visit, key="2", reason="误记")
    assert left(lot) == 18
    assert db.session.get_one(Visit, visit.id).undone_on == today()
    moves = [(move.what, move.quantity) for move in queries.movements_of(lot)]
    assert moves == [("put_back", 5), ("given", -2), ("given", -5), ("bought", 20)]
    assert sum(number for _what, number in moves) == 18
    assert line(with_money) == (1_000_00, 0, 900_00)


def test_a_lot_is_undone_while_nothing_of_it_is_out(with_money: ProgramYear, finance: User, lot: Lot) -> None:
    visit = record_visit(finance, with_money, given(lot, 1))
    with pytest.raises(Refused, match="given out; undo these visits first"):
        undo_lot(finance, with_money, lot, key="1", reason="退货")
    assert line(with_money) == (1_000_00, 0, 900_00)
    undo_visit(finance, with_money, visit, key="1", reason="误记")
    for _again in range(2):
        undo_lot(finance, with_money, lot, key="2", reason="退货")
    assert line(with_money) == (1_000_00, 0, 0)
    with pytest.raises(Refused, match="nothing of it is there") as refusal:
        record_visit(finance, with_money, given(lot, 1, "w"))
    assert refusal.value.field == "lot"
    with pytest.raises(IntegrityError, match="ck_four_seasons_lot_reversed"):
        db.session.execute(text("UPDATE four_seasons_lot SET remaining = remaining - 1"))
    db.session.rollback()
    assert queries.worth_of(with_money, Scope(("/61/",))) == (0, 0)
    assert [move.what for move in queries.movements_of(db.session.get_one(Lot, lot.id))] == [
        "undone", "put_back", "given", "bought",
    ]  # fmt: skip
    assert list(verify_all()) == []


def test_who_may_not_spend_and_what_is_not_open(
    with_money: ProgramYear, finance: User, lot: Lot, make_user: MakeUser
) -> None:
    visit = record_visit(finance, with_money, given(lot, 1))
    for user in (make_user("clerk", "6101"), make_user("finance", "6102")):
        with pytest.raises(NotFound):
            record_visit(user, with_money, given(lot, 1, "w"))
        with pytest.raises(NotFound):
            buy_lot(user, with_money, replace(LOT, key="2"))
        with pytest.raises(Forbidden):
            undo_visit(user, with_money, visit, key="1", reason="x")
        with pytest.raises(Forbidden):
            undo_lot(user, with_money, lot, key="1", reason="x")
    close_year(make_user("admin"), with_money)
    with pytest.raises(Refused, match="not open"):
        record_visit(finance, with_money, given(lot, 1, "w"))
    with pytest.raises(Refused, match="not open"):
        buy_lot(finance, with_money, replace(LOT, key="2", quantity=1))


def test_the_reports_count_the_money_once(
    with_money: ProgramYear, finance: User, lot: Lot, small_tree: dict[str, Org]
) -> None:
    overview = enable(SYSTEM, "four_seasons", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})
    record_visit(finance, with_money, given(lot, 3))
    plain = Visited(
        key="m", org_code="6101", visited_on=DAY, party="x", kind="cash", amount_fen=50_00, source="union", unit="x"
    )  # fmt: skip
    record_visit(finance, with_money, plain)
    rows = money(ReportContext(program_year=overview, scope=Scope(("/61/",)))).subquery().c
    spent = select(func.sum(rows.spent_fen)).where(rows.season == "summer_coolness")
    assert db.session.scalar(spent) == 950_00  # the lot and the money, and not the goods once more
    facts = stock(ReportContext(program_year=with_money, scope=Scope(("/61/",)))).subquery().c
    found = select(facts.bought, facts.given, facts.left, facts.bought_fen, facts.given_fen, facts.left_fen)
    assert db.session.execute(found).one() == (20, 3, 17, 900_00, 135_00, 765_00)


FORM = {
    "key": "page", "org_code": "6101", "goods": "毛巾", "quantity": "10", "measure": "条", "price": "20.50",
    "source": "union", "supplier": "", "bought_on": "2014-07-01",
}  # fmt: skip


def test_from_buying_to_giving_out_and_back_on_the_pages(
    with_money: ProgramYear, finance: User, as_user: AsUser
) -> None:
    browser = as_user(finance)
    assert "No goods yet" in browser.get(f"{PAGE}/stock").text
    assert browser.get(f"{PAGE}/stock/new").status_code == 200
    page = browser.post(f"{PAGE}/stock/new", data=FORM).headers["Location"]
    assert browser.post(f"{PAGE}/stock/new", data=FORM).headers["Location"] == page
    lot = db.session.scalars(select(Lot)).one()
    assert line(with_money)[2] == 205_00
    assert "毛巾" in browser.get(f"{PAGE}/visits/new?lot={lot.id}").text
    sent = {
        "key": "page", "org_code": "6101", "whom": "unit", "unit": "秦岭钢厂", "visited_on": "2014-07-15",
        "party": "市总工会主席", "kind": "stock", "lot": f"{lot.id}", "quantity": "11", "amount": "99", "gift": "x",
    }  # fmt: skip
    more = browser.post(f"{PAGE}/visits/new", data=sent)
    assert more.status_code == 409
    assert "Of this lot 10 条 are left." in more.text
    for wrong, sentence in (({"quantity": "0"}, "between 1 and"), ({"lot": ""}, "Please choose a lot.")):
        assert sentence in browser.post(f"{PAGE}/visits/new", data=sent | wrong).text
    visited = browser.post(f"{PAGE}/visits/new", data=sent | {"quantity": "4"}).headers["Location"]
    shown = browser.get(visited).text
    assert "毛巾 4 条" in shown
    assert f'href="{page}"' in shown
    assert "82.00" in shown
    assert "毛巾" in browser.get(f"{PAGE}/stock").text
    for said in ("6 条", "秦岭钢厂", "-4"):
        assert said in browser.get(page).text
    assert "Undo the lot" not in browser.get(page).text
    assert browser.post(f"{visited}/undo", data={"key": "1", "reason": "误记"}).status_code == 302
    assert "its goods are in stock again" in browser.get(visited).text
    assert "Say why" in browser.post(f"{page}/undo", data={"key": "1", "reason": " "}).text
    assert browser.post(f"{page}/undo", data={"key": "1", "reason": "退货"}).status_code == 302
    assert "This lot was undone" in browser.get(page).text
    entry = f"/ledger/entries/{lot.entry_id}"
    assert f'href="{PAGE}/stock/of-entry/{lot.entry_id}"' in browser.get(entry).text
    assert browser.get(f"{PAGE}/stock/of-entry/{lot.entry_id}").headers["Location"] == page


def test_the_form_of_a_lot_says_what_is_wrong(with_money: ProgramYear, finance: User, as_user: AsUser) -> None:
    browser = as_user(finance)
    wrong = {"goods": " ", "price": "0", "quantity": "0", "effective_on": "2014-06-30"}
    answer = browser.post(f"{PAGE}/stock/new", data=FORM | wrong)
    assert answer.status_code == 400
    for sentence in ("which goods", "more than 0 yuan", "between 1 and", "lies before the day"):
        assert sentence in answer.text
    assert db.session.scalars(select(Lot)).all() == []


def test_others_see_nothing_of_it(with_money: ProgramYear, lot: Lot, as_user: AsUser) -> None:
    page = f"{PAGE}/stock/{lot.id}"
    stranger = as_user("finance", "6102")
    assert "No goods yet" in stranger.get(f"{PAGE}/stock").text
    assert "绿豆汤料" not in stranger.get(f"{PAGE}/visits/new").text
    for address in (page, f"{PAGE}/stock/of-entry/{lot.entry_id}"):
        assert stranger.get(address).status_code == 404
    assert stranger.post(f"{page}/undo", data={"key": "1", "reason": "x"}).status_code == 404
    clerk = as_user("clerk", "6101")
    assert "绿豆汤料" in clerk.get(page).text
    assert clerk.get(f"{PAGE}/stock/new").status_code == 403


def test_long_lists_have_pages(
    with_money: ProgramYear, finance: User, lot: Lot, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        record_visit(finance, with_money, given(lot, 1, f"{number}", unit=f"第{number}厂"))
        buy_lot(finance, with_money, replace(LOT, key=f"more {number}", goods=f"第{number}种", quantity=1, price_fen=1))
    monkeypatch.setattr(queries, "PAGE", 2)
    browser = as_user(finance)
    first = browser.get(f"{PAGE}/stock").text
    assert "第2种" in first
    assert "第0种" not in first
    least = min(db.session.scalars(select(Lot.id).where(Lot.goods != LOT.goods)))
    assert "第0种" in browser.get(f"{PAGE}/stock?before={least + 1}").text
    moves = browser.get(f"{PAGE}/stock/{lot.id}").text
    assert "第2厂" in moves
    assert "第0厂" not in moves
    assert "第0厂" in browser.get(f"{PAGE}/stock/{lot.id}?page=2").text
