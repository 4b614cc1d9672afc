"""Booking own funds on the page of the budget."""

from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.api import budgets_of, scope_of, today
from core.extensions import db
from core.ledger.models import Allotment
from core.users.testing import PASSWORD, AsUser
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
BUDGET = "/2014/61/aid/budget/"
FORM = {
    "key": "a-key",
    "org_code": "6101",
    "amount": "1.5万元",
    "effective_on": "2014-01-10",
    "description": "行政拨款",
    "password": PASSWORD,
}


def in_english(browser: FlaskClient) -> FlaskClient:
    browser.post("/language", data={"language": "en"})
    return browser


def booked() -> int:
    return sum(db.session.scalars(select(Allotment.amount_fen)))


def test_finance_books_and_the_union_can_spend_it(campaign: Campaign, as_user: AsUser) -> None:
    finance = in_english(as_user("finance"))
    assert "Book own funds" in finance.get(BUDGET).text
    assert finance.post(f"{BUDGET}own-funds", data=FORM).status_code == 302
    (line,) = budgets_of(campaign.year, scope_of(campaign.finance, "ledger.view"))
    assert (line.org.code, line.allotted_fen) == ("6101", 15_000_00)
    assert "行政拨款" in finance.get(BUDGET).text


def test_a_form_that_is_sent_twice_books_once(campaign: Campaign, as_user: AsUser) -> None:
    finance = in_english(as_user("finance"))
    first, second = (finance.post(f"{BUDGET}own-funds", data=FORM) for _time in range(2))
    assert (first.status_code, second.status_code) == (302, 302)
    assert booked() == 15_000_00
    other = finance.post(f"{BUDGET}own-funds", data=FORM | {"amount": "2万元"})
    assert other.status_code == 409
    assert "Another booking has been made under this key already" in other.text
    assert booked() == 15_000_00


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("org_code", "6102", "The sponsor has no union with this code for which you may book."),
        ("org_code", "nowhere", "The sponsor has no union with this code for which you may book."),
        ("amount", "much", "“much” is not an amount"),
        ("amount", "0", "must be more than nothing"),
        ("amount", "-5", "is not an amount"),
        ("effective_on", "soon", "Not a valid date value."),
        ("effective_on", f"{today().year + 1}-01-01", "The day of posting lies in the future."),
        ("key", "", "This field is required."),
    ],
)
def test_what_cannot_be_booked_is_said_at_its_place(
    campaign: Campaign, as_user: AsUser, field: str, value: str, sentence: str
) -> None:
    response = in_english(as_user("finance", "6101")).post(f"{BUDGET}own-funds", data=FORM | {field: value})
    assert 400 <= response.status_code < 500
    assert sentence in unescape(response.text) or field == "key"
    assert "行政拨款" in response.text  # nothing that was typed is lost
    assert booked() == 0


@pytest.mark.parametrize("role", ["clerk", "reviewer", "auditor", "leader", "admin"])
def test_only_finance_may(campaign: Campaign, as_user: AsUser, role: str) -> None:
    browser = in_english(as_user(role))
    assert "Book own funds" not in browser.get(BUDGET).text
    assert browser.post(f"{BUDGET}own-funds", data=FORM).status_code == 403
    assert booked() == 0


def test_a_closed_year_takes_no_money(campaign: Campaign, as_user: AsUser) -> None:
    finance = in_english(as_user("finance"))
    campaign.year.closes_on = campaign.year.opens_on
    db.session.commit()
    assert "Book own funds" not in finance.get(BUDGET).text
    assert finance.post(f"{BUDGET}own-funds", data=FORM).status_code == 403
    assert booked() == 0
