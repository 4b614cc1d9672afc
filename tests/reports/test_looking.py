"""Looking at a report: grouped by union level by level, by its own dimensions, and beside the year before."""

import re
from collections.abc import Callable
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, literal, select

from core.audit.services import SYSTEM
from core.lists.types import Column
from core.org.models import Org
from core.plugin.registry import registry_of
from core.plugin.types import ReportContext
from core.programs.models import ProgramYear
from core.programs.services import disable
from core.registers import services as registers
from core.registers.sheets import read_rows
from core.users.testing import AsUser, Browser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, KINDS, VOLUMES, Corner
from tests.registers.conftest import switch_on

pytestmark = pytest.mark.services
URL = "/2014/61/reading_club/reports/places"
AddCorners = Callable[..., None]


def each_corner(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """A row for each corner."""
    return select(Corner.org_path, Corner.kind, literal(1).label("places"), Corner.volumes, Corner.cost_fen).where(
        Corner.program_year_id == context.program_year.id, context.scope.covers(Corner.org_path)
    )


@pytest.fixture(autouse=True)
def report(app: Flask) -> None:
    """A report of facts, not of groups."""
    columns = (
        Column(name="kind", title="Kind", kind="choice", choices=KINDS),
        Column(name="places", title="Places", kind="number"),
        Column(name="cost_fen", title="Cost", kind="yuan"),
    )
    code = "reading_club.places"
    registry_of(app).reports[code] = replace(VOLUMES, code=code, select=each_corner, columns=columns)


@pytest.fixture
def add_corners(make_user: MakeUser) -> AddCorners:
    """``add_corners(year, (code, kind, fen), ...)``"""
    clerk = make_user("clerk")

    def add(program_year: ProgramYear, *corners: tuple[str, str, int]) -> None:
        for number, (code, kind, fen) in enumerate(corners):
            values = {"name": f"{code}-{number}", "kind": kind, "volumes": 1, "cost_fen": fen, "opened_on": None}
            registers.add(clerk, CORNERS, program_year, {"org_code": code, **values})

    return add


@pytest.fixture
def corners(clubs: ProgramYear, add_corners: AddCorners) -> ProgramYear:
    """One at the province, three in 西安 of which one at the city itself, one in 铜川."""
    add_corners(
        clubs,
        ("61", "library", 500_00), ("6101", "corner", 1_00), ("610102", "corner", 2_00), ("610102001", "library", 4_00),
        ("6102", "corner", 8_00),
    )  # fmt: skip
    return clubs


def table(browser: Browser, query: str = "") -> list[list[str]]:
    page = browser.get(f"{URL}?{query}")
    assert page.status_code == 200
    rows = re.findall(r"<tr>(.*?)</tr>", page.text, re.DOTALL)
    return [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_facts_are_rolled_up_by_union_first(corners: ProgramYear, as_user: AsUser) -> None:
    assert table(as_user("clerk")) == [
        ["Union", "Places", "Cost (yuan)"],
        ["陕西省 itself", "1", "500.00"],
        ["西安市", "3", "7.00"],
        ["铜川市", "1", "8.00"],
        ["Together", "5", "515.00"],
    ]


def test_each_level_leads_to_the_one_below(corners: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    page = browser.get(URL + "?by=org_path&compare=y").text
    link = unescape(re.findall(r'href="([^"]*)">西安市<', page)[0])
    assert "compare=y" in link
    assert "陕西省 itself</a>" not in page
    assert table(browser, "org=6101") == [
        ["Union", "Places", "Cost (yuan)"],
        ["西安市 itself", "1", "1.00"],
        ["新城区", "2", "6.00"],
        ["Together", "3", "7.00"],
    ]
    below = browser.get(f"{URL}?org=610102001").text
    assert "西一路街道 itself" in below
    way = re.findall(r'<ol class="breadcrumb">(.*?)</ol>', below, re.DOTALL)[0]
    assert re.findall(r">([^<>\s]+)<", way) == ["All unions", "西安市", "新城区", "西一路街道"] or "All unions" in way
    assert unescape(re.findall(r'href="([^"]*)">新城区', way)[0]).endswith("org=610102")


def test_several_dimensions_are_crossed_and_none_is_the_whole(corners: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert table(browser, "by=org_path&by=kind")[1:] == [
        ["陕西省 itself", "Library", "1", "500.00"],
        ["西安市", "Reading corner", "2", "3.00"],
        ["西安市", "Library", "1", "4.00"],
        ["铜川市", "Reading corner", "1", "8.00"],
        ["Together", "", "5", "515.00"],
    ]
    assert table(browser, "by=kind")[1:] == [
        ["Reading corner", "3", "11.00"],
        ["Library", "2", "504.00"],
        ["Together", "5", "515.00"],
    ]


def test_a_reader_begins_at_their_own_union_and_sees_nothing_beside_it(corners: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    assert [row[0] for row in table(browser)] == ["Union", "西安市 itself", "新城区", "Together"]
    assert table(browser, "org=61")[1:] == [["西安市", "3", "7.00"], ["Together", "3", "7.00"]]
    assert browser.get(f"{URL}?org=6102").status_code == 404


@pytest.mark.parametrize(
    ("query", "status", "sentence"),
    [
        ("org=999", 404, "There is no organisation with the code “999” here."),
        ("by=volumes", 400, "The report cannot be grouped by this."),
        ("by=kind&by=nonsense", 400, ">The report cannot be grouped by this.<"),
    ],
)
def test_what_there_is_not_is_one_sentence(
    corners: ProgramYear, as_user: AsUser, query: str, status: int, sentence: str
) -> None:
    page = as_user("clerk").get(f"{URL}?{query}")
    assert (page.status_code, sentence in page.text) == (status, True)
    assert as_user("clerk").get(f"{URL}/download.xlsx?{query}").status_code == status


def test_the_year_before_stands_beside_it(
    corners: ProgramYear, as_user: AsUser, add_corners: AddCorners, small_tree: dict[str, Org], tmp_path: Path
) -> None:
    before = switch_on(small_tree["61"], 2013)
    add_corners(before, ("6101", "corner", 10_00), ("610202", "corner", 1_00))
    browser = as_user("clerk")
    heading = ["Union", "Places", "Places, 2013", "Change of Places"]
    shown = table(browser, "compare=y")
    assert [row[:4] for row in shown] == [
        heading,
        ["陕西省 itself", "1", "—", "1"],
        ["西安市", "3", "1", "2"],
        ["铜川市", "1", "1", "0"],
        ["Together", "5", "2", "3"],
    ]
    assert shown[2][4:] == ["7.00", "10.00", "-3.00"]
    path = tmp_path / "report.xlsx"
    path.write_bytes(browser.get(f"{URL}/download.xlsx?compare=y").data)
    rows = [row.values for row in read_rows(path)]
    assert rows[0][:4] == tuple(heading)
    assert rows[-1] == ("Together", "5", "2", "3", "515", "11", "504")
    disable(SYSTEM, before)
    page = browser.get(f"{URL}?compare=y").text
    assert "There is no such program of this sponsor in the year before that you may see." in page
    assert "2013" not in "".join(table(browser, "compare=y")[0])


def test_arguments_of_any_name_are_no_arguments_of_ours(corners: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").get(f"{URL}?name=x&_external=1&endpoint=y&by=org_path&by=kind&org=6101")
    assert page.status_code == 200
    assert "/places/download.xlsx?name=x&amp;_external=1&amp;endpoint=y&amp;by=org_path&amp;by=kind" in page.text


def test_a_chart_stands_beside_a_table_of_one_dimension(corners: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert "data-chart" in browser.get(URL).text
    assert "data-chart" not in browser.get(f"{URL}?by=kind&by=org_path").text
    assert "data-chart" not in as_user("clerk", "6102").get(URL).text


def test_a_chart_shows_the_first_measure_that_tells_unions_apart(
    clubs: ProgramYear, as_user: AsUser, add_corners: AddCorners
) -> None:
    add_corners(clubs, ("6101", "corner", 1_00), ("6102", "corner", 2_00))
    browser = as_user("clerk")
    chart = re.findall(r"<[^>]*data-chart[^>]*>", browser.get(URL).text)[0]
    assert "Cost" in chart
    assert "data-chart" not in browser.get(f"{URL}?org=6101").text
    add_corners(clubs, ("6102", "library", 5_00), ("6101", "library", 6_00))
    assert "data-chart" not in browser.get(URL).text  # seven yuan and two places each
