"""A list in a browser: filters, sorting and paging change the list alone, the address with it."""

import pytest
from playwright.sync_api import Page, Route, expect

from core.audit.services import SYSTEM
from core.org.models import Org
from core.org.scope import Scope
from core.people.services import PersonRow, register_people
from core.web.testing import OpenAs
from tests.registers.conftest import id_number

pytestmark = [pytest.mark.services, pytest.mark.browser]


@pytest.fixture
def plugins() -> None:
    """The installed ones, as the server that the browser asks has them."""
    return


def test_a_list_moves_without_leaving_its_page(small_tree: dict[str, Org], open_as: OpenAs, page: Page) -> None:
    rows = [
        PersonRow("610102001" if n % 2 else "610202", f"李{'芳' * (n % 3 + 1)}", id_number(n), "13900001234")
        for n in range(1, 70)
    ]
    register_people(SYSTEM, rows, Scope(("/61/",)))
    open_as("clerk", path="/people")
    page.evaluate("window.stayed = true")
    expect(page.locator("#list tbody tr")).to_have_count(50)
    expect(page.locator("#list-totals")).to_contain_text("69")
    page.click("a[rel=next]")
    expect(page.locator("#list tbody tr")).to_have_count(19)
    assert "after=" in page.url
    page.go_back()
    expect(page.locator("#list tbody tr")).to_have_count(50)
    page.evaluate("window.stayed = true")
    page.fill("#list input[name=org]", "610202")
    page.press("#list input[name=org]", "Enter")
    expect(page.locator("#list-totals")).to_contain_text("34")
    assert "org=610202" in page.url
    page.fill("#list input[name=org]", "999")
    page.press("#list input[name=org]", "Enter")
    expect(page.locator("#org-errors")).to_be_visible()
    page.wait_for_load_state("networkidle")  # what is wrong is not counted, which would take the list away
    expect(page.locator("#org-errors")).to_be_visible()
    expect(page.locator("#list tbody tr")).to_have_count(50)
    assert page.evaluate("window.stayed")
    page.fill("#list input[name=org]", "")
    page.locator("#list summary").first.click()
    page.check("#list input[name=f-gender][value=F]")
    page.locator("#list form[role=search] button").last.click()
    page.wait_for_url("**f-gender=F*")
    page.click("th a.list-sort >> nth=1")
    page.wait_for_url("**sort=*")
    expect(page.locator("th[aria-sort=descending]")).to_contain_text("所属工会")
    page.evaluate("window.stayed = true")
    page.locator(".list-tools summary").first.click()
    page.fill("#list input[name=id_number]", id_number(3))
    page.press("#list input[name=id_number]", "Enter")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert "person=" in page.url and id_number(3) not in page.url
    assert page.evaluate("window.stayed")
    page.locator(".list-tools summary").last.click()


def test_what_was_asked_last_is_what_the_list_shows(small_tree: dict[str, Org], open_as: OpenAs, page: Page) -> None:
    rows = [PersonRow("610102001", "王芳", id_number(n)) for n in range(1, 4)]
    register_people(SYSTEM, rows, Scope(("/61/",)))
    open_as("clerk", path="/people")
    expect(page.locator("#list-totals")).to_contain_text("3")
    slow: list[Route] = []
    page.route("**/people?*sort=*", lambda route: slow.append(route))
    page.click("th a.list-sort >> nth=1")
    while not slow:
        page.wait_for_timeout(50)
    page.locator(".list-tools summary").first.click()
    page.fill("#list input[name=id_number]", id_number(3))
    found: list[Route] = []
    page.route("**/people/view*", lambda route: found.append(route))
    page.press("#list input[name=id_number]", "Enter")
    while not found:
        page.wait_for_timeout(50)
    slow[0].continue_()  # answered first, although it was asked before
    page.wait_for_timeout(300)
    found[0].continue_()
    expect(page.locator("#list tbody tr")).to_have_count(1)
    assert "person=" in page.url


def test_a_list_fits_a_telephone(small_tree: dict[str, Org], open_as: OpenAs, page: Page) -> None:
    register_people(SYSTEM, [PersonRow("610102001", "王芳", id_number(1))], Scope(("/61/",)))
    page.set_viewport_size({"width": 390, "height": 844})
    for path in ("/people", "/orgs/list?f-level=county", "/ledger/activities"):
        open_as("clerk", path=path) if path == "/people" else page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
