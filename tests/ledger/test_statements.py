"""The books added up: trial balance, an account by union, account sheets, against entries counted by hand."""

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound, Refused
from core.extensions import db
from core.ledger import balances
from core.ledger.balances import Asked, Months, accounts_of_code, moves_of, sums_of, trial_balance
from core.ledger.booking import post
from core.ledger.closing import close, close_account, start_closing
from core.ledger.models import Account
from core.ledger.posting import Posting
from core.ledger.scope import BookScope
from core.org.models import Org
from core.org.scope import Scope
from core.registers.sheets import read_rows
from core.users.testing import AsUser
from tests.ledger.conftest import DAY

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
EVERYTHING = BookScope(Scope(("/61/",)))
BOOK = "statutory"
JANUARY, FEBRUARY, MARCH = date(2014, 1, 1), date(2014, 2, 1), date(2014, 3, 1)


@pytest.fixture
def books(posting: Posting, small_tree: dict[str, Org]) -> dict[str, Org]:
    """January: the province takes in 100 yuan, Xi'an 30. February: Xi'an spends 5. March: the province spends 40.

    In the insurance book the province holds 7 yuan for others, on the same account of the bank.
    """
    xian = replace(posting, org_id=small_tree["6101"].id, org_path="/61/6101/")
    post(SYSTEM, posting)
    post(SYSTEM, replace(xian, key="2", legs=[("102", 3_000), ("402", -3_000)]))
    spent = [("50205", 500), ("102", -500)]
    post(SYSTEM, replace(xian, key="3", title="送温暖", effective_on=FEBRUARY, legs=spent))
    post(SYSTEM, replace(posting, key="4", effective_on=MARCH, legs=[("50205", 4_000), ("102", -4_000)]))
    post(SYSTEM, replace(posting, key="5", book="insurance", legs=[("102", 700), ("231", -700)]))
    return small_tree


def codes(asked: Asked) -> dict[str, tuple[int, int, int, int]]:
    """Code -> opening, debits, credits, closing."""
    rows = trial_balance(asked)
    return {r.code: (r.sums.opening_fen, r.sums.debit_fen, r.sums.credit_fen, r.sums.closing_fen) for r in rows}


def account(org: Org, code: str, book: str = BOOK) -> Account:
    where = (Account.org_id == org.id, Account.code == code, Account.book == book)
    return db.session.scalars(select(Account).where(*where)).one()


def test_now_is_what_is_kept_and_each_book_by_itself(books: dict[str, Org]) -> None:
    held = {code: sums[-1] for code, sums in codes(Asked(EVERYTHING, BOOK)).items()}
    assert held == {"102": 8_500, "402": -13_000, "50205": 4_500}
    assert {code: sums[-1] for code, sums in codes(Asked(EVERYTHING, "insurance")).items()} == {"102": 700, "231": -700}


FEBRUARY_ALONE = {"102": (13_000, 0, 500, 12_500), "402": (-13_000, 0, 0, -13_000), "50205": (0, 500, 0, 500)}
FEBRUARY_AND_MARCH = {
    "102": (13_000, 0, 4_500, 8_500),
    "402": (-13_000, 0, 0, -13_000),
    "50205": (0, 4_500, 0, 4_500),
}


@pytest.mark.parametrize("closed", [[], [JANUARY], [JANUARY, FEBRUARY, MARCH]])
def test_months_open_with_what_was_held_before_whether_they_are_closed_or_not(
    books: dict[str, Org], closed: Sequence[date]
) -> None:
    for month in closed:
        start_closing(SYSTEM, BOOK, month)
        close(SYSTEM, BOOK, month)
    assert codes(Asked(EVERYTHING, BOOK, Months(FEBRUARY, FEBRUARY))) == FEBRUARY_ALONE
    assert codes(Asked(EVERYTHING, BOOK, Months(FEBRUARY, MARCH))) == FEBRUARY_AND_MARCH
    early = codes(Asked(EVERYTHING, BOOK, Months(JANUARY, JANUARY)))
    assert early == {"102": (0, 13_000, 0, 13_000), "402": (0, 0, 13_000, -13_000)}


def test_the_opening_of_a_month_after_closed_ones_reads_no_leg_of_theirs(
    books: dict[str, Org], monkeypatch: pytest.MonkeyPatch
) -> None:
    start_closing(SYSTEM, BOOK, JANUARY)
    close(SYSTEM, BOOK, JANUARY)
    asked: list[dict[str, Any]] = []
    legs = balances._legs

    def noted(*args: Any, **kwargs: Any) -> Any:
        asked.append(kwargs)
        return legs(*args, **kwargs)

    monkeypatch.setattr(balances, "_legs", noted)
    trial_balance(Asked(EVERYTHING, BOOK, Months(MARCH, MARCH)))
    assert asked == [{"since": FEBRUARY}]
    trial_balance(Asked(EVERYTHING, BOOK))
    assert len(asked) == 1


def test_a_scope_and_a_union_narrow_the_balances(books: dict[str, Org]) -> None:
    xian = {"102": 2_500, "402": -3_000, "50205": 500}
    asked = Asked(EVERYTHING, BOOK, org=books["6101"])
    assert {code: sums[-1] for code, sums in codes(asked).items()} == xian
    own = Asked(BookScope(Scope(("/61/6101/",))), BOOK)
    assert {code: sums[-1] for code, sums in codes(own).items()} == xian
    months = replace(own, months=Months(MARCH, MARCH))
    assert codes(months)["102"] == (2_500, 0, 0, 2_500)


def test_who_reads_one_program_only_gets_no_kept_balance(books: dict[str, Org]) -> None:
    single = BookScope(Scope(), {"aid": Scope(("/61/",))})
    assert codes(Asked(single, BOOK)) == {}
    assert not single.is_general
    assert BookScope(Scope(("/61/",)), {"aid": Scope(("/61/6101/",))}).is_general


def test_an_account_by_union_pages_on_and_adds_up(books: dict[str, Org]) -> None:
    asked = Asked(EVERYTHING, BOOK)
    rows = accounts_of_code(asked, "102")
    assert [(row.org.code, row.sums.closing_fen) for row in rows] == [("61", 6_000), ("6101", 2_500)]
    assert [row.org.code for row in accounts_of_code(asked, "102", after="/61/")] == ["6101"]
    assert len(accounts_of_code(asked, "102", limit=1)) == 1


def test_an_account_sheet_runs_by_day_from_page_to_page(books: dict[str, Org], posting: Posting) -> None:
    late = replace(posting, key="late", effective_on=date(2014, 1, 31), legs=[("102", 100), ("402", -100)])
    post(SYSTEM, late)
    asked, bank = Asked(EVERYTHING, BOOK), account(books["61"], "102")
    moves = moves_of(asked, bank)
    assert [(m.debit_fen, m.credit_fen, m.held_fen) for m in moves] == [
        (10_000, 0, 10_000),
        (100, 0, 10_100),
        (0, 4_000, 6_100),
    ]
    assert [m.held_fen for m in moves_of(asked, bank, after=moves[1].entry.id)] == [6_100]
    with pytest.raises(NotFound):
        moves_of(asked, bank, after=10**9)
    march = replace(asked, months=Months(MARCH, MARCH))
    assert [m.held_fen for m in moves_of(march, bank)] == [6_100]
    sums = sums_of(march, bank)
    assert (sums.opening_fen, sums.debit_fen, sums.credit_fen, sums.closing_fen) == (10_100, 0, 4_000, 6_100)
    assert sums_of(asked, bank).closing_fen == 6_100


def test_an_entry_with_both_sides_on_one_account_is_one_line(books: dict[str, Org], posting: Posting) -> None:
    through = [("102", 900), ("102", -900), ("131", 5), ("132", -5)]
    post(SYSTEM, replace(posting, key="through", effective_on=MARCH, legs=through))
    last = moves_of(Asked(EVERYTHING, BOOK), account(books["61"], "102"))[-1]
    assert (last.debit_fen, last.credit_fen, last.held_fen) == (900, 900, 6_000)


def cells(page: str, part: str = "tbody") -> list[str]:
    """The texts of a table's cells."""
    body = page.partition(f"<{part}>")[2].partition(f"</{part}>")[0]
    return [
        unescape(cell.partition(">")[2].replace("</a>", "").rpartition(">")[2]).strip()
        for cell in body.split("</td>")[:-1]
    ]


@pytest.fixture
def auditor(books: dict[str, Org], as_user: AsUser) -> FlaskClient:
    return as_user("auditor")


def test_the_page_leads_from_a_code_to_a_union_to_an_entry(auditor: FlaskClient, books: dict[str, Org]) -> None:
    page = auditor.get("/ledger/balances?first=2014-02&last=2014-03").text
    assert cells(page)[:8] == ["102", "Bank deposits", "130.00", "0.00", "0.00", "45.00", "85.00", "0.00"]
    assert cells(page, "tfoot")[2:] == ["130.00", "130.00", "45.00", "45.00", "130.00", "130.00"]
    assert "Balanced" in page
    link = unescape(page.split("<tbody>")[1].split('href="')[1].split('"')[0])
    assert link == "/ledger/balances/102?first=2014-02&last=2014-03"
    page = auditor.get(link).text
    assert cells(page)[2:6] == ["100.00", "0.00", "40.00", "60.00"]
    assert cells(page, "tfoot")[2:] == ["130.00", "0.00", "45.00", "85.00"]
    link = unescape(page.split("<tbody>")[1].split('href="')[1].split('"')[0])
    page = auditor.get(link).text
    assert cells(page)[2:6] == ["Opening balance", "—", "—", "100.00"]
    assert cells(page, "tfoot")[3:] == ["0.00", "40.00", "60.00"]
    assert 'href="/ledger/entries/' in page


def test_income_stands_on_its_own_side(auditor: FlaskClient, books: dict[str, Org]) -> None:
    page = auditor.get(f"/ledger/accounts/{account(books['61'], '402').id}").text
    assert "Credit" in page
    assert cells(page)[4:6] == ["100.00", "100.00"]
    assert cells(auditor.get("/ledger/balances/402").text, "tfoot")[2:] == ["130.00"]


def test_another_book_is_chosen(auditor: FlaskClient, books: dict[str, Org]) -> None:
    page = auditor.get("/ledger/balances?book=insurance").text
    assert cells(page) == ["102", "Bank deposits", "7.00", "0.00", "231", "Funds held for others", "0.00", "7.00"]
    sheet = auditor.get(f"/ledger/accounts/{account(books['61'], '102', 'insurance').id}").text
    assert cells(sheet, "tfoot")[3:] == ["7.00", "0.00", "7.00"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("first=2014-03&last=2014-02", "The last month lies before the first."),
        ("first=0001-01", "There are no books of this year."),
        ("last=9999-12", "There are no books of this year."),
        ("first=gestern", "Not a valid"),
        ("book=nothing", "Not a valid choice"),
    ],
)
def test_months_that_there_are_not_are_refused_in_a_sentence(auditor: FlaskClient, query: str, sentence: str) -> None:
    response = auditor.get(f"/ledger/balances?{query}")
    assert response.status_code == 400
    assert sentence in response.text
    assert "<tbody>" not in response.text
    response = auditor.get(f"/ledger/balances.xlsx?{query}")
    assert response.status_code == 400
    assert sentence in response.text


def test_a_city_finds_its_own_accounts_only(books: dict[str, Org], as_user: AsUser) -> None:
    browser = as_user("finance", "6101")
    for org, status in (("61", 404), ("6101", 200)):
        number = account(books[org], "102").id
        assert browser.get(f"/ledger/accounts/{number}").status_code == status
        assert browser.get(f"/ledger/accounts/{number}.xlsx").status_code == status
    assert cells(browser.get("/ledger/balances").text)[:3] == ["102", "Bank deposits", "25.00"]
    assert cells(browser.get("/ledger/balances/102").text)[:3] == ["6101", books["6101"].name, "25.00"]
    assert browser.get("/ledger/balances/999").status_code == 404
    assert browser.get("/ledger/accounts/999999").status_code == 404


def test_pages_of_a_sheet_and_of_an_account(
    auditor: FlaskClient, books: dict[str, Org], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(balances, "PAGE", 1)
    page = auditor.get("/ledger/balances/102").text
    following = unescape(page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0])
    assert following == "/ledger/balances/102?after=61"
    assert cells(auditor.get(following).text)[0] == "6101"
    sheet = f"/ledger/accounts/{account(books['61'], '102').id}"
    page = auditor.get(sheet).text
    following = unescape(page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0])
    assert cells(auditor.get(following).text)[-1] == "60.00"
    assert 'rel="next"' not in auditor.get(following).text
    assert len(cells(auditor.get(f"{sheet}?all=1").text)) == 12


def test_statements_as_files(auditor: FlaskClient, books: dict[str, Org]) -> None:
    response = auditor.get("/ledger/balances.xlsx?first=2014-02")
    rows = [row.values for row in read_rows(io.BytesIO(response.data), "a.xlsx")]
    assert rows[0][:4] == ("Account code", "Account title", "Opening debit (yuan)", "Opening credit (yuan)")
    assert rows[1] == ("102", "Bank deposits", "130", "0", "0", "5", "125", "0")
    assert rows[4][1:] == ("Together", "130", "130", "5", "5", "130", "130")
    assert ("Months", "2014-02 to 2014-02") in [row[:2] for row in rows]
    assert ("Unit", "yuan") in [row[:2] for row in rows]
    text = auditor.get(f"/ledger/accounts/{account(books['61'], '102').id}.csv").data.decode("utf-8-sig")
    lines = list(csv.reader(io.StringIO(text)))
    assert lines[0] == ["Day", "Entry number", "Summary", "Debits (yuan)", "Credits (yuan)", "Balance (yuan)"]
    assert [line[3:6] for line in lines[1:4]] == [["100", "", "100"], ["", "40", "60"], ["100", "40", "60"]]
    text = auditor.get("/ledger/balances/102.csv").data.decode("utf-8-sig")
    assert [line[2] for line in list(csv.reader(io.StringIO(text)))[1:4]] == ["60", "25", "85"]
    assert auditor.get("/ledger/balances.pdf").status_code == 404
    said = db.session.scalars(select(AuditLine.id).where(AuditLine.action == "ledger.download")).all()
    assert len(said) == 3


def test_an_empty_account_is_closed_for_good(books: dict[str, Org], posting: Posting, as_user: AsUser) -> None:
    bank = account(books["61"], "102")
    finance, sheet = as_user("finance"), f"/ledger/accounts/{bank.id}"
    answer = finance.post(f"{sheet}/close")
    assert answer.status_code == 409
    assert "holds 60.00 yuan; only an empty one is closed" in answer.text
    assert db.session.get_one(Account, bank.id).closed_on is None
    post(SYSTEM, replace(posting, key="away", effective_on=MARCH, legs=[("402", 6_000), ("102", -6_000)]))
    assert as_user("auditor").post(f"{sheet}/close").status_code == 403
    assert as_user("finance", "6101").post(f"{sheet}/close").status_code == 404
    assert finance.post(f"{sheet}/close").status_code == 302
    page = finance.get(sheet).text
    assert "closed on" in page
    assert "Close the account" not in page
    assert finance.post(f"{sheet}/close").status_code == 409
    with pytest.raises(Refused, match="is closed"):
        post(SYSTEM, replace(posting, key="more"))
    with pytest.raises(NotFound):
        close_account(SYSTEM, 10**9)
    said = db.session.scalars(select(AuditLine.action).where(AuditLine.action == "ledger.close_account")).all()
    assert len(said) == 1


def test_who_may_not_close_sees_no_button(books: dict[str, Org], as_user: AsUser) -> None:
    sheet = f"/ledger/accounts/{account(books['61'], '102').id}"
    assert "Close the account" not in as_user("auditor").get(sheet).text
    assert "Close the account" in as_user("finance").get(sheet).text
    assert DAY.isoformat() in as_user("auditor").get(sheet).text
