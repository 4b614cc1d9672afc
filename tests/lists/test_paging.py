"""Pages of a sorted list: in either direction, on and back, with rows that lack the value; and addresses made up."""

import json
from base64 import urlsafe_b64encode
from html import unescape

import pytest

from core.lists import queries
from core.users.testing import AsUser, Browser
from tests.lists.conftest import CORNERS_URL, MakeCorner

pytestmark = pytest.mark.services
COSTS = [300, None, 100, 100, None, 200, 100]
NAMES = [f"书屋{number}号" for number in range(len(COSTS))]
UP = [2, 3, 6, 5, 0, 1, 4]
DOWN = [0, 5, 6, 3, 2, 4, 1]


def on_page(page: str) -> list[int]:
    return sorted((number for number, name in enumerate(NAMES) if name in page), key=lambda n: page.index(NAMES[n]))


def beside(page: str, rel: str) -> str:
    before, found, _after = page.partition(f'rel="{rel}"')
    return unescape(before.rpartition('href="')[2].split('"')[0]) if found else ""


def walk(browser: Browser, url: str, rel: str) -> tuple[list[list[int]], str]:
    """The pages from an address on, and the address of the last one."""
    pages, last = [], ""
    while url:
        page, last = browser.get(url).text, url
        pages.append(on_page(page))
        url = beside(page, rel)
        assert len(pages) <= len(COSTS)
    return pages, last


@pytest.mark.parametrize("size", [1, 2, 3, 7])
@pytest.mark.parametrize(("sort", "order"), [("cost_fen", UP), ("-cost_fen", DOWN), ("org", range(7)), ("", range(7))])
def test_pages_meet_on_and_back_without_gap_or_overlap(
    make_corner: MakeCorner, as_user: AsUser, monkeypatch: pytest.MonkeyPatch, size: int, sort: str, order: list[int]
) -> None:
    for name, cost in zip(NAMES, COSTS, strict=True):
        make_corner(name, cost_fen=cost)
    monkeypatch.setattr(queries, "PAGE", size)
    browser = as_user("clerk")
    forward, last = walk(browser, f"{CORNERS_URL}?sort={sort}", "next")
    assert [number for page in forward for number in page] == list(order)
    assert [len(page) for page in forward[:-1]] == [size] * (len(forward) - 1)
    back, _first = walk(browser, last, "prev")
    assert [number for page in reversed(back) for number in page] == list(order)


def token(*parts: object) -> str:
    return urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


MADE_UP = [
    "nowhere",
    "ü",
    "a" * 3000,
    token(),
    token("cost_fen"),
    token("volumes", 100, 1),
    token("cost_fen", "100", 1),
    token("cost_fen", True, 1),
    token("cost_fen", 1.5, 1),
    token("cost_fen", 2**63, 1),
    token("cost_fen", [1], 1),
    token("cost_fen", 100, "1"),
    token("cost_fen", 100, -1),
    token("cost_fen", 100, 2**63),
]


@pytest.mark.parametrize("name", ["after", "before"])
def test_a_place_made_up_is_refused_and_the_list_is_there(make_corner: MakeCorner, as_user: AsUser, name: str) -> None:
    make_corner("职工书屋")
    browser = as_user("clerk")
    for made_up in MADE_UP:
        page = browser.get(CORNERS_URL, query_string={"sort": "cost_fen", name: made_up})
        assert page.status_code == 400, made_up
        assert "This page of the list does not exist." in page.text
        assert "职工书屋" in page.text


def test_a_place_by_day_must_name_a_day(make_corner: MakeCorner, as_user: AsUser) -> None:
    make_corner("职工书屋", opened_on=None)
    browser = as_user("clerk")
    for value, status in (("2014-13-01", 400), (5, 400), ("2014-01-01\0", 400), ("2014-01-01", 200), (None, 200)):
        asked = {"sort": "opened_on", "after": token("opened_on", value, 0)}
        assert browser.get(CORNERS_URL, query_string=asked).status_code == status, value


def test_only_columns_that_say_so_can_be_sorted_by(make_corner: MakeCorner, as_user: AsUser) -> None:
    make_corner("职工书屋")
    browser = as_user("clerk")
    for sort in ("name", "-kind", "nothing", "--cost_fen", "-"):
        page = browser.get(CORNERS_URL, query_string={"sort": sort})
        assert page.status_code == 400
        assert "The list cannot be sorted by this column." in page.text
        assert "职工书屋" in page.text
