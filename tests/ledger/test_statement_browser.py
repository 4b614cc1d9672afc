"""The pages of statements and months in a real browser: nothing is cut off, and paper shows the table alone."""

from dataclasses import replace
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.extensions import db
from core.ledger.booking import post
from core.ledger.closing import close, start_closing
from core.ledger.models import Account
from core.ledger.posting import Posting
from core.web.testing import OpenAs

pytestmark = pytest.mark.browser
FEBRUARY = date(2014, 2, 1)


@pytest.fixture
def sheet(posting: Posting) -> str:
    """January with three entries is closed, February with one is open; the address of the bank's account sheet."""
    for key in ("1", "2", "3"):
        post(SYSTEM, replace(posting, key=key, description="上级工会拨付的送温暖资金，第一批"))
    spent = [("50205", 4_000), ("102", -4_000)]
    post(SYSTEM, replace(posting, key="4", effective_on=FEBRUARY, title="送温暖", legs=spent))
    start_closing(SYSTEM, "statutory", date(2014, 1, 1))
    close(SYSTEM, "statutory", date(2014, 1, 1))
    bank = db.session.scalars(select(Account.id).where(Account.code == "102")).one()
    return f"/ledger/accounts/{bank}"


def test_nothing_is_cut_off_at_either_width(sheet: str, open_as: OpenAs, page: Page) -> None:
    open_as("finance")
    pages = (
        "/ledger/balances?first=2014-02",
        "/ledger/balances/102",
        f"{sheet}?first=2014-02",
        "/ledger/income",
        "/ledger/periods",
        "/ledger/periods/statutory/2014-01",
        "/ledger/periods/statutory/2014-02",
    )
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for path in pages:
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path


def test_paper_shows_the_table_and_what_it_is_of(sheet: str, open_as: OpenAs, page: Page) -> None:
    open_as("auditor", path=f"{sheet}?first=2014-02")
    page.emulate_media(media="print")
    expect(page.locator("form.filters")).to_be_hidden()
    expect(page.locator(".page-actions")).to_be_hidden()
    expect(page.locator("tfoot")).to_contain_text("260.00")
    expect(page.locator("dl.facts")).to_contain_text("2014-02")
