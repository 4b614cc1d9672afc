"""The pages of the budget: allotting in three steps, tables with every kind of wrong row, taking back, levels."""

import io
import re
from collections.abc import Sequence
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from core.extensions import db
from core.ledger import budgets
from core.ledger.models import Allotment, BudgetLine
from core.org.models import Org
from core.registers.sheets import read_rows, write_xlsx
from core.users.testing import PASSWORD, AsUser
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
BUDGET = "/2014/61/aid/budget/"
CHOICE = {"giver": "61", "source": "union", "level": "", "way": "people"}
FORM = {**CHOICE, "key": "a-key", "amount": "100.01", "effective_on": "2014-01-10", "description": "第一批"}
SIGNED = {"password": PASSWORD}
HEADINGS = ("工会代码", "工会名称", "金额（元）")


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are compared in English."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")


@pytest.fixture
def finance(campaign: Campaign, as_user: AsUser) -> FlaskClient:
    """The province's finance, with 1,000 yuan of union funds and 50 of public finance to share out."""
    campaign.fund(100_000, "61")
    return as_user(campaign.finance)


def hidden(page: str) -> dict[str, str]:
    """What a page carries along."""
    return {
        unescape(name): unescape(value)
        for name, value in re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    } | {"key": FORM["key"], **SIGNED}


def sheet(rows: Sequence[Sequence[str]], headings: Sequence[str] = HEADINGS) -> io.BytesIO:
    target = io.BytesIO()
    write_xlsx(target, headings, rows, "表")
    target.seek(0)
    return target


def upload(
    browser: FlaskClient, rows: Sequence[Sequence[str]], *, headings: Sequence[str] = HEADINGS, way: str = "table"
) -> TestResponse:
    data = {**FORM, "way": way, "file": (sheet(rows, headings), "下拨.xlsx")}
    return browser.post(f"{BUDGET}allot/preview", data=data, content_type="multipart/form-data")


def given() -> dict[str, int]:
    """Receiver -> fen of what was passed down and not taken back."""
    rows = db.session.execute(
        select(Org.code, Allotment.amount_fen, Allotment.takes_back)
        .join(Org, Org.id == Allotment.org_id)
        .where(Allotment.from_org_id.is_not(None))
    )
    sums: dict[str, int] = {}
    for code, fen, takes_back in rows:
        sums[code] = sums.get(code, 0) + (-fen if takes_back else fen)
    return sums


def test_by_the_number_on_file_previewed_and_booked(finance: FlaskClient) -> None:
    page = finance.get(f"{BUDGET}allot").text
    assert "陕西省总工会 allots" in page
    assert "1,000.00 yuan" in page
    preview = finance.post(f"{BUDGET}allot/preview", data=FORM)
    assert preview.status_code == 200
    for said in ("57.15", "28.57", "14.29", "899.99", "largest remainders", "1 unions get nothing", "+1"):
        assert said in preview.text
    assert given() == {}
    booked = finance.post(f"{BUDGET}allot", data=hidden(preview.text))
    assert booked.status_code == 302
    assert given() == {"6101": 5_715, "6102": 2_857, "6111": 1_429}
    assert finance.post(f"{BUDGET}allot", data=hidden(preview.text)).status_code == 302  # sent twice
    assert sum(given().values()) == 10_001
    shares = finance.get(booked.headers["Location"]).text
    assert "57.15" in shares
    assert "第一批" in finance.get(BUDGET).text


def test_by_points_typed_changed_and_booked(finance: FlaskClient) -> None:
    form = FORM | {"way": "points", "level": "county", "points-610102": "92.5", "points-610103": "7.5"}
    preview = finance.post(f"{BUDGET}allot/preview", data=form)
    assert "92.51" in preview.text
    edited = finance.post(f"{BUDGET}allot/preview", data=hidden(preview.text) | {"step": "edit"}).text
    assert 'name="points-610102" value="92.5"' in edited
    assert 'value="100.01"' in edited
    finance.post(f"{BUDGET}allot", data=hidden(preview.text))
    assert given() == {"610102": 9_251, "610103": 750}


@pytest.mark.parametrize("points", ["many", "-1", "1.234", "1000001", "NaN", "1e9"])
def test_points_that_are_none_are_said_beside_the_union(finance: FlaskClient, points: str) -> None:
    form = FORM | {"way": "points", "points-6101": points, "points-6102": "5"}
    answer = finance.post(f"{BUDGET}allot/preview", data=form)
    assert answer.status_code == 400
    assert f"“{points}” are no points" in answer.text
    assert f'value="{points}"' in answer.text
    assert 'value="5"' in answer.text


def test_points_by_table_and_none_at_all(finance: FlaskClient) -> None:
    answer = upload(
        finance, [("6101", "", "90"), ("6102", "", "10")], headings=("Code of the union", "x", "Points"), way="points"
    )
    assert "90.01" in answer.text
    nothing = finance.post(f"{BUDGET}allot/preview", data=FORM | {"way": "points"})
    assert "Write the points beside the unions" in nothing.text


def test_by_a_table_of_amounts(finance: FlaskClient) -> None:
    rows = [("6101", "西安市总工会", "200"), ("610202", "", "0.05万元"), ("6111", "杨凌示范区", "300")]
    preview = upload(finance, rows, headings=("Code of the union", "Name of the union", "Amount (yuan)"))
    assert preview.status_code == 200
    assert "Each union gets what the table says." in preview.text
    finance.post(f"{BUDGET}allot", data=hidden(preview.text))
    assert given() == {"6101": 20_000, "610202": 50_000, "6111": 30_000}


def test_the_unit_of_a_heading_counts(finance: FlaskClient) -> None:
    preview = upload(finance, [("6101", "", "0.02")], headings=("Code of the union", "x", "Amount（万元）"))
    finance.post(f"{BUDGET}allot", data=hidden(preview.text))
    assert given() == {"6101": 20_000}


def test_every_wrong_row_is_named_at_once_and_nothing_is_booked(
    finance: FlaskClient, small_tree: dict[str, Org]
) -> None:
    small_tree["6111"].active = False
    db.session.commit()
    rows = [
        ("6101", "西安市总工会", "600"),
        ("none", "某工会", "1"),
        ("61", "", "1"),
        ("6101", "", "1"),
        ("6102", "", ""),
        ("610202", "碑林区总工会", "1"),
        ("610103", "", "1.234"),
        ("610102", "", "-5"),
        ("6111", "", "1"),
        ("", "无代码", "1"),
        ("61-transport", "", "500"),
    ]
    answer = upload(finance, rows, headings=("Code of the union", "Name of the union", "Amount (yuan)"))
    assert answer.status_code == 400
    said = re.findall(
        r'<tr><td class="num">([^<]+)</td><td>[^<]+</td><td>[^<]+</td><td class="wrap">([^<]+)', answer.text
    )
    assert [(line, unescape(sentence)) for line, sentence in said] == [
        ("3", "There is no union with this code."),
        ("4", "陕西省总工会 is not below 陕西省总工会."),
        ("5", "This union is named twice."),
        ("6", "The amount or the points are missing."),
        ("7", "The code is that of 王益区总工会."),
        ("8", "“1.234” has a part smaller than one fen."),
        ("9", "“-5” is not an amount; write yuan as 1250.50, or 1100万元."),
        ("10", "杨凌示范区总工会 is no longer active."),
        ("11", "The code is missing."),
        ("—", "The amounts come to 1,100.00 yuan, but 陕西省总工会 has 1,000.00 yuan free."),
    ]
    assert 'value="第一批"' in answer.text  # nothing that was typed is lost
    assert given() == {}


@pytest.mark.parametrize(
    ("rows", "headings", "sentence"),
    [
        ([], ("甲", "乙"), "None of the first ten rows holds the headings"),
        ([], ("Code of the union", "Amount"), "The table names no union."),
        ([("6101", "1")], ("Code of the union", "别的"), "lacks the column"),
        ([("6101", "1", "1")], ("Code of the union", "Amount", "Amount"), "twice"),
    ],
)
def test_a_file_that_is_no_table_is_one_sentence(
    finance: FlaskClient, rows: list[tuple[str, ...]], headings: tuple[str, ...], sentence: str
) -> None:
    answer = upload(finance, rows, headings=headings)
    assert answer.status_code == 400
    assert sentence in unescape(answer.text)


def test_no_file_and_a_strange_file(finance: FlaskClient) -> None:
    assert "Choose a file first." in finance.post(f"{BUDGET}allot/preview", data=FORM | {"way": "table"}).text
    data = FORM | {"way": "table", "file": (io.BytesIO(b"x"), "x.pdf")}
    answer = finance.post(f"{BUDGET}allot/preview", data=data, content_type="multipart/form-data")
    assert "cannot be read" in answer.text or "is not a list that can be read" in answer.text
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("core.ledger.sheets.MOST_RECEIVERS", 1)
        answer = upload(finance, [("6101", "1"), ("6102", "1")], headings=("Code of the union", "Amount"))
        assert "more than 1 rows" in answer.text


def test_the_template_can_be_filled_in_and_uploaded(finance: FlaskClient) -> None:
    empty = finance.get(f"{BUDGET}allot/template.xlsx", query_string=CHOICE | {"way": "table"})
    rows = [row.values for row in read_rows(io.BytesIO(empty.data), "x.xlsx")]
    assert rows[0] == ("Code of the union", "Name of the union", "Amount (yuan)")
    assert [row[0] for row in rows[1:]] == ["61-transport", "6101", "6102", "6111"]
    filled = [(code, name, "1") for code, name, *_empty in rows[1:]]
    assert upload(finance, filled, headings=rows[0]).status_code == 200
    assert finance.get(f"{BUDGET}allot/template.xlsx?giver=61&way=dice").status_code == 404


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"giver": "6199"}, "The sponsor has no union with this code for which you may book."),
        ({"giver": ""}, "This field is required."),
        ({"amount": ""}, "The amount must be more than nothing."),
        ({"amount": "0"}, "The amount must be more than nothing."),
        ({"amount": "x"}, "“x” is not an amount"),
        ({"amount": "1000.01"}, "陕西省总工会 has only 1,000.00 yuan free of this source."),
        ({"source": "dues"}, "陕西省总工会 has only 0.00 yuan free of this source."),
        ({"level": "village"}, "陕西省总工会 has no such unions below it."),
        ({"giver": "610102001"}, "西一路街道工会 has no such unions below it."),
        ({"giver": "61-transport", "level": "city"}, "has no such unions below it."),
        ({"effective_on": "soon"}, "Not a valid date value."),
    ],
)
def test_what_cannot_be_previewed_is_said(finance: FlaskClient, change: dict[str, str], sentence: str) -> None:
    answer = finance.post(f"{BUDGET}allot/preview", data=FORM | change)
    assert 400 <= answer.status_code < 500
    assert sentence in unescape(answer.text)
    assert "第一批" in answer.text
    exact = finance.post(f"{BUDGET}allot/preview", data=FORM | {"amount": "1000"})
    assert exact.status_code == 200


def test_what_changed_since_the_preview_is_refused_when_booking(finance: FlaskClient, campaign: Campaign) -> None:
    carried = hidden(finance.post(f"{BUDGET}allot/preview", data=FORM).text)
    for change, sentence in (
        ({"shares": "6101 x"}, "There is no such union"),
        ({"shares": ""}, "There is no such union"),
        ({"shares": "nowhere 5"}, "There is no such union"),
        ({"shares": "61 5"}, "is not below"),
        ({"shares": "6101 -5,6102 6"}, "nobody to share"),
        ({"giver": "6101"}, "is not below"),
        ({"effective_on": "2099-01-01"}, "lies in the future"),
    ):
        answer = finance.post(f"{BUDGET}allot", data=carried | change)
        assert (answer.status_code >= 400, sentence in unescape(answer.text)) == (True, True), change
    budgets.hold(campaign.year.id, {campaign.orgs["61"].id: 95_000})
    db.session.commit()
    assert "lacks 50.01 yuan" in finance.post(f"{BUDGET}allot", data=carried).text
    assert given() == {}


def test_a_county_allots_its_own_money_and_no_other(campaign: Campaign, as_user: AsUser) -> None:
    campaign.fund(100_000, "61", "6101", "610102", "610103")
    county = as_user("finance", "610102")
    assert "新城区总工会 allots" in county.get(f"{BUDGET}allot").text
    for giver in ("61", "6101", "610103"):
        form = FORM | {"giver": giver}
        assert county.post(f"{BUDGET}allot/preview", data=form).status_code == 404
        assert county.post(f"{BUDGET}allot", data=form | SIGNED | {"shares": "610102001 1"}).status_code == 404
        assert county.get(f"{BUDGET}allot/template.xlsx", query_string=CHOICE | {"giver": giver}).status_code == 404
    preview = county.post(f"{BUDGET}allot/preview", data=FORM | {"giver": "610102"})
    county.post(f"{BUDGET}allot", data=hidden(preview.text))
    assert given() == {"610102001": 10_001}


def test_the_points_of_too_many_unions_come_as_a_table(finance: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.ledger.allot_views.MOST_TYPED", 4)
    points = CHOICE | {"way": "points"}
    assert "points-6101" in finance.get(f"{BUDGET}allot", query_string=points).text
    monkeypatch.setattr("core.ledger.allot_views.MOST_TYPED", 3)
    assert "upload them as a table" in finance.get(f"{BUDGET}allot", query_string=points).text
    monkeypatch.setattr("core.ledger.allot_views.MOST_RECEIVERS", 3)
    answer = finance.get(f"{BUDGET}allot", query_string=points)
    assert (answer.status_code, "more than 3 unions" in answer.text) == (409, True)


@pytest.fixture
def booking(finance: FlaskClient, campaign: Campaign) -> str:
    """The address of a booking: 60 yuan to Xi'an, 40 to Tongchuan."""
    preview = finance.post(
        f"{BUDGET}allot/preview", data=FORM | {"way": "points", "amount": "100", "points-6101": "6", "points-6102": "4"}
    )
    return finance.post(f"{BUDGET}allot", data=hidden(preview.text)).headers["Location"]


def row_of(code: str) -> int:
    return db.session.scalars(
        select(Allotment.id)
        .join(Org, Org.id == Allotment.org_id)
        .where(Org.code == code, Allotment.from_org_id.is_not(None))
    ).one()


BACK = {**SIGNED, "key": "back", "effective_on": "2014-02-10", "description": "结余收回"}


def test_taken_back_on_the_page_of_the_booking(finance: FlaskClient, booking: str, campaign: Campaign) -> None:
    first, second = row_of("6101"), row_of("6102")
    budgets.hold(campaign.year.id, {campaign.orgs["6101"].id: 1_000})
    db.session.commit()
    filled = finance.get(f"{booking}?all=1").text
    assert f'name="take-{first}" value="50.00"' in filled
    assert f'name="take-{second}" value="40.00"' in filled
    over = finance.post(f"{booking}/take-back", data=BACK | {f"take-{first}": "50.01", f"take-{second}": "1"})
    assert (over.status_code, "西安市总工会 has 50.00 yuan free" in over.text) == (409, True)
    assert f'name="take-{first}" value="50.01"' in over.text
    wrong = finance.post(f"{booking}/take-back", data=BACK | {f"take-{first}": "half", f"take-{second}": "1"})
    assert (wrong.status_code, "“half” is not an amount" in wrong.text) == (400, True)
    nothing = finance.post(f"{booking}/take-back", data=BACK)
    assert (nothing.status_code, "Write beside a union" in nothing.text) == (400, True)
    assert given() == {"6101": 6_000, "6102": 4_000}
    data = BACK | {f"take-{first}": "50", f"take-{second}": "40"}
    for _time in range(2):
        assert finance.post(f"{booking}/take-back", data=data).status_code == 302
    assert given() == {"6101": 1_000, "6102": 0}
    text = finance.get(booking).text
    assert "结余收回" in text
    assert f"take-{second}" not in text  # nothing is left of it
    assert "Money taken back" in finance.get(BUDGET).text


def test_a_city_sees_its_share_and_takes_nothing_back(finance: FlaskClient, booking: str, as_user: AsUser) -> None:
    first = row_of("6101")
    city = as_user("finance", "6101")
    page = city.get(booking).text
    assert "60.00" in page
    assert "铜川市" not in page
    assert "Fill in all" not in page
    assert city.post(f"{booking}/take-back", data=BACK | {f"take-{first}": "1"}).status_code == 403
    assert as_user("leader", "6111").get(booking).status_code == 404
    assert as_user("auditor").post(f"{booking}/take-back", data=BACK).status_code == 403


def test_own_funds_are_booked_with_their_source_and_withdrawn(finance: FlaskClient) -> None:
    form = {
        "key": "own",
        "org_code": "6101",
        "source": "society",
        "amount": "12",
        "effective_on": "2014-01-10",
    } | SIGNED
    assert finance.post(f"{BUDGET}own-funds", data=form).status_code == 302
    row = db.session.scalars(select(Allotment).where(Allotment.source == "society")).one()
    data = BACK | {f"take-{row.id}": "5"}
    assert finance.post(f"{BUDGET}bookings/{row.id}/take-back", data=data).status_code == 302
    line = db.session.scalars(select(BudgetLine).where(BudgetLine.source == "society")).one()
    assert line.allotted_fen == 700
    assert "Not a valid choice" in finance.post(f"{BUDGET}own-funds", data=form | {"source": "lottery"}).text


def test_levels_drill_down_and_download(finance: FlaskClient, booking: str, as_user: AsUser) -> None:
    top = finance.get(BUDGET).text
    assert f"{BUDGET}?org=6101" in top
    assert "Budget by level and source" in top
    inside = finance.get(f"{BUDGET}?org=6101").text
    assert "铜川市" not in inside.partition("Where the money came from")[0]
    assert "All unions" in inside
    assert finance.get(f"{BUDGET}?org=nowhere").status_code == 404
    assert as_user("finance", "6102").get(f"{BUDGET}?org=6101").status_code == 404
    report = "/2014/61/aid/reports/budget-levels"
    assert "Budget by level and source" in finance.get(report).text
    file = finance.get(f"{report}/download.xlsx?by=level&by=source")
    rows = [row.values for row in read_rows(io.BytesIO(file.data), "x.xlsx")]
    assert rows[1][:3] == ("Province", "Union funds", "900")
    assert rows[2][:3] == ("City", "Union funds", "100")
    assert rows[-1][2] == "1000"
    lines = finance.get(f"{report}/download.csv?by=level&by=source").data.decode("utf-8-sig").splitlines()
    assert [tuple(line.split(",")) for line in lines] == [row[: len(rows[0])] for row in rows]
    assert lines[1].startswith("Province,Union funds,900")
    assert finance.get(f"{report}/download.pdf").status_code == 404
    page = finance.get(report).text
    assert f'href="{report}/download.csv' in page
    assert "陕西省总工会" in page.partition("d-print-block")[2].partition("<table")[0]  # on paper: whose it is


def test_a_run_is_offered_the_sources_that_have_money(
    finance: FlaskClient, campaign: Campaign, as_user: AsUser
) -> None:
    clerk = as_user("clerk")
    new = "/2014/61/aid/runs/new"
    assert 'value="dues"' not in clerk.get(new).text
    form = {"scheme": "aid.everybody", "title": "送温暖", "org_code": "61", "source": "dues"}
    assert "Not a valid choice" in clerk.post(new, data=form).text
    finance.post(
        f"{BUDGET}own-funds",
        data={**SIGNED, "key": "d", "org_code": "6101", "source": "dues", "amount": "1", "effective_on": "2014-01-10"},
    )
    assert 'value="dues"' in clerk.get(new).text
    assert "Membership dues" in clerk.get(clerk.post(new, data=form).headers["Location"]).text
