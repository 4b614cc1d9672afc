"""A real browser on a real server: the front end is in place, and a person can log in."""

import pytest
from playwright.sync_api import Page, expect

from core.users.testing import MakeUser
from core.web.testing import OpenAs

pytestmark = pytest.mark.browser


def test_a_person_logs_in(open_as: OpenAs, page: Page) -> None:
    open_as("clerk", "6101")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")
    expect(page.locator("h1")).to_be_visible()
    page.goto("/login")
    assert page.evaluate("typeof htmx") == "object"


def test_a_wrong_password_is_a_sentence_on_the_page(page: Page) -> None:
    page.goto("/login")
    page.fill("input[name=username]", "nobody")
    page.fill("input[name=password]", "wrong password")
    page.click("form button[type=submit]:has-text('登录')")
    expect(page.locator("[role=alert]").first).to_be_visible()


def test_every_file_of_the_front_end_is_there(page: Page) -> None:
    missing: list[str] = []
    page.on("response", lambda response: missing.append(response.url) if response.status >= 400 else None)
    page.goto("/login", wait_until="networkidle")
    assert missing == []
    icon = "getComputedStyle(document.querySelector('.ti'), '::before').fontFamily"
    assert "tabler-icons" in page.evaluate(icon)


@pytest.mark.parametrize("path", ["/login", "/"])
def test_nothing_is_cut_off_on_a_telephone(open_as: OpenAs, page: Page, path: str) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    if path == "/login":
        page.goto(path)
    else:
        open_as("admin", path=path)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_table_with_a_hidden_heading_does_not_widen_the_page(
    open_as: OpenAs, page: Page, make_user: MakeUser
) -> None:
    """The heading lies beyond the edge of the table, which scrolls; it must not lie beyond that of the page."""
    page.set_viewport_size({"width": 390, "height": 844})
    open_as("admin", path=f"/admin/users/{make_user('clerk', '6101').id}")
    expect(page.locator("th .visually-hidden")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
