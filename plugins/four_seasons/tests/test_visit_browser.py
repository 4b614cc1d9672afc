"""The pages of visits in a real browser: nothing is cut off, and the form asks only for what counts."""

import re

import pytest
from playwright.sync_api import Page, expect

from core.api import ProgramYear
from core.web.testing import OpenAs
from plugins.four_seasons.tests.conftest import id_number

pytestmark = pytest.mark.browser
PAGE = "/2014/61/winter_warmth/visits"


def test_a_visit_is_written_down_at_either_width(funded: ProgramYear, open_as: OpenAs, page: Page) -> None:
    open_as("finance", path=f"{PAGE}/new")
    expect(page.locator("#unit")).to_be_hidden()
    expect(page.locator("#gift")).to_be_hidden()
    typed = {"org_code": "6101", "id_number": id_number(0), "visited_on": "2014-01-20", "amount": "300"}
    for name, text in (typed | {"party": "市总工会主席等 3 人"}).items():
        page.fill(f"#{name}", text)
    page.select_option("#kind", "goods")
    page.fill("#gift", "米、面、油")
    page.locator("main form button[type=submit]").click()
    expect(page).to_have_url(re.compile(r"/visits/\d+$"))
    visit = page.url
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for path in (PAGE, f"{PAGE}/new", visit):
            page.goto(path)
            expect(page.locator("h1")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
