"""The pages of pairing and of the network in a real browser: nothing is cut off, and the map is drawn."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from playwright.sync_api import Page, expect

from core.api import Org, Person, ProgramYear
from core.web.testing import OpenAs
from plugins.hardship_aid.tests.conftest import PAGES
from plugins.hardship_aid.tests.paired import open_file, pair
from plugins.hardship_aid.tests.test_centres import place

pytestmark = pytest.mark.browser


def test_nothing_is_cut_off_at_either_width(
    program_year: ProgramYear,
    small_tree: dict[str, Org],
    make_person: Callable[..., Person],
    open_as: OpenAs,
    page: Page,
) -> None:
    person = make_person("610102")
    open_file(program_year, person)
    pair(program_year, person, unit="陕西省教育厅职业教育与成人教育处", post="副处长")
    open_file(program_year, make_person("610102"))
    point = {"kind": "centre", "longitude": Decimal("108.94"), "latitude": Decimal("34.26")}
    place(program_year, small_tree["6101"], "西安市困难职工援助中心", **point)
    paths = ("", "pairs/unvisited", "pairs/unpaired", "places", "registers/centres/add", "registers/pairs/add")
    open_as("clerk", path=f"{PAGES}/places")
    expect(page.locator("[data-map] canvas")).to_be_visible()
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        for path in paths:
            page.goto(f"{PAGES}/{path}")
            expect(page.locator("h1")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
