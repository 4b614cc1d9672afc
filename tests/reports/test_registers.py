"""The report that every register has by itself: its entries by union and choice, for who may see the register."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Integer, cast, func, literal_column

from core.audit.services import SYSTEM
from core.lists.types import Column
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.registers import services
from core.registers.sheets import read_rows
from core.users.testing import AsUser, Browser, MakeUser
from tests.plugins_for_tests.meals import plugin as meals_plugin
from tests.plugins_for_tests.reading_club import plugin as reading_club
from tests.plugins_for_tests.reading_club.registers import CORNERS, KINDS, Corner
from tests.registers.conftest import Chess, MakePerson, add_reader, switch_on

pytestmark = pytest.mark.services
URL = "/2014/61/reading_club/reports/"
MEALS = "/2014/61/meals/reports/"
AddCorners = Callable[..., None]


@pytest.fixture
def plugins() -> dict[str, object]:
    """The reading clubs, and hot meals, whose registers have a flow."""
    return {"reading_club": reading_club, "chess": Chess(), "meals": meals_plugin}


@pytest.fixture
def add_corners(make_user: MakeUser) -> AddCorners:
    """``add_corners(year, (code, kind, volumes, fen), ...)``"""
    clerk = make_user("clerk")

    def add(program_year: ProgramYear, *corners: tuple[str, str, int, int | None]) -> None:
        for number, (code, kind, volumes, fen) in enumerate(corners):
            values = {"name": f"{code}-{number}", "kind": kind, "volumes": volumes, "cost_fen": fen}
            services.add(clerk, CORNERS, program_year, {"org_code": code, "opened_on": None, **values})

    return add


@pytest.fixture
def corners(clubs: ProgramYear, add_corners: AddCorners) -> ProgramYear:
    """Two in 西安 and a library in 铜川, whose cost nobody knows."""
    add_corners(clubs, ("610102", "corner", 10, 1_00), ("6101", "corner", 20, 2_00), ("6102", "library", 40, None))
    return clubs


def table(browser: Browser, address: str) -> list[list[str]]:
    page = browser.get(address)
    assert page.status_code == 200, page.text
    rows = re.findall(r"<tr>(.*?)</tr>", page.text, re.DOTALL)
    return [[re.sub("<[^>]*>", "", cell) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)] for row in rows]


def test_entries_are_counted_and_what_the_list_adds_up_is_added_up(corners: ProgramYear, as_user: AsUser) -> None:
    clerk = as_user("clerk")
    assert table(clerk, URL + "corners") == [
        ["Union", "Number of entries", "Volumes", "Cost (yuan)"],
        ["西安市", "2", "30", "3.00"],
        ["铜川市", "1", "40", "—"],
        ["Together", "3", "70", "3.00"],
    ]
    assert table(clerk, URL + "corners?by=kind")[1:3] == [
        ["Reading corner", "2", "30", "3.00"],
        ["Library", "1", "40", "—"],
    ]
    assert table(clerk, URL + "corners?org=6101")[1:3] == [
        ["西安市 itself", "1", "20", "2.00"],
        ["新城区", "1", "10", "1.00"],
    ]


def test_it_keeps_to_the_scope_and_to_the_permission_of_the_register(corners: ProgramYear, as_user: AsUser) -> None:
    county = as_user("leader", "610102")
    assert table(county, URL + "corners")[1:] == [["新城区 itself", "1", "10", "1.00"], ["Together", "1", "10", "1.00"]]
    assert county.get(URL + "corners?org=6102").status_code == 404
    assert f'href="{URL}corners"' in county.get(URL).text
    assert f'href="{URL}readers"' not in county.get(URL).text  # reading_club.edit
    assert county.get(URL + "readers").status_code == 403
    assert county.get(URL + "readers/download.xlsx").status_code == 403


def test_the_year_before_stands_beside_entries_of_one_year(
    corners: ProgramYear, as_user: AsUser, add_corners: AddCorners, small_tree: dict[str, Org], tmp_path: Path
) -> None:
    add_corners(switch_on(small_tree["61"], 2013), ("6101", "corner", 5, 50))
    clerk = as_user("clerk")
    assert table(clerk, URL + "corners?compare=y")[-1] == [
        "Together",
        "3",
        "1",
        "2",
        "70",
        "5",
        "65",
        "3.00",
        "0.50",
        "2.50",
    ]
    path = tmp_path / "report.xlsx"
    path.write_bytes(clerk.get(URL + "corners/download.xlsx?compare=y").data)
    assert next(row.values for row in read_rows(path))[:4] == (
        "Union", "Number of entries", "Number of entries, 2013", "Change of Number of entries",
    )  # fmt: skip


def test_entries_that_stay_from_year_to_year_are_not_compared_with_themselves(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, small_tree: dict[str, Org]
) -> None:
    switch_on(small_tree["61"], 2013)
    make_person(1)
    clerk = as_user("clerk")
    assert add_reader(clerk, 1) == 302
    assert table(clerk, URL + "readers?compare=y") == [
        ["Union", "Number of entries"],
        ["西安市", "1"],
        ["Together", "1"],
    ]
    page = clerk.get(URL + "readers?compare=y").text
    assert "Compare with last year" not in page
    assert "in the year before" not in page
    assert "Compare with last year" in clerk.get(URL + "corners").text


def test_with_a_flow_they_are_grouped_by_state(as_user: AsUser, small_tree: dict[str, Org]) -> None:
    enable(SYSTEM, "meals", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={"review_days": 5})
    clerk = as_user("clerk")
    for code in ("6101", "6102"):
        answer = clerk.post(f"{MEALS[:-8]}registers/bids/add", data={"org_code": code, "dish": "面"})
        assert answer.status_code == 302
    assert table(clerk, MEALS + "bids?by=state")[1:2] == [["Draft", "2"]]
    assert "State" in clerk.get(MEALS + "guests").text  # its plugin shows no such column


SIZES = {"40": "Large", "10": "Small"}
TAGS = func.array_append(literal_column("ARRAY[]::text[]"), Corner.kind)


@pytest.mark.parametrize(
    ("column", "rows"),
    [
        # Choices that are numbers group in the order in which they are declared.
        (
            Column(name="volumes", title="Size", kind="choice", choices=SIZES),
            [["Size", "Number of entries"], ["Large", "1"], ["Small", "1"], ["20", "1"], ["Together", "3"]],
        ),
        # Whoever has several choices at once would stand in no one group.
        (
            Column(name="tags", title="Tags", kind="choice", choices=KINDS, expression=TAGS),
            [["Union", "Number of entries"], ["西安市", "2"], ["铜川市", "1"], ["Together", "3"]],
        ),
        # What is computed is added up as well.
        (
            Column(name="half", title="Half", kind="number", total=True, expression=cast(Corner.volumes / 2, Integer)),
            [
                ["Union", "Number of entries", "Half"], ["西安市", "2", "15"], ["铜川市", "1", "20"],
                ["Together", "3", "35"],
            ],
        ),
    ],
)  # fmt: skip
def test_columns_of_every_kind(
    app: Flask, corners: ProgramYear, as_user: AsUser, column: Column, rows: list[list[str]]
) -> None:
    registry_of(app).registers[CORNERS.code] = replace(CORNERS, columns=(column,))
    by = column.name if rows[0][0] == column.title else "org_path"
    assert table(as_user("clerk"), f"{URL}corners?by={by}") == rows
