"""Reports: who sees them, what they add up, and that a broken one breaks nothing else."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Select, func, literal, literal_column, select, text

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.extensions import db
from core.lists.types import Column
from core.org.models import Org
from core.plugin.registry import registry_of
from core.plugin.types import Report, ReportContext
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.registers import services as registers
from core.registers.sheets import read_rows
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, VOLUMES
from tests.registers.conftest import switch_on

pytestmark = pytest.mark.services
URL = "/2014/61/reading_club/reports/"
AddReport = Callable[..., Report]


@pytest.fixture
def corners(clubs: ProgramYear, make_user: MakeUser) -> ProgramYear:
    """Two corners in 西安 and a library in 铜川, without a cost."""
    clerk = make_user("clerk")
    for code, name, kind, volumes, cost in (
        ("610102", "甲", "corner", 1000, 1_234_56),
        ("6101", "乙", "corner", 500, 1_00),
        ("6102", "丙", "library", 2000, None),
    ):
        registers.add(
            clerk, CORNERS, clubs,
            {"org_code": code, "name": name, "kind": kind, "volumes": volumes, "cost_fen": cost, "opened_on": None},
        )  # fmt: skip
    return clubs


@pytest.fixture
def add_report(app: Flask) -> AddReport:
    """``add_report(name, select, columns=...)`` gives the reading clubs another report."""

    def add(name: str, make: Callable[[ReportContext], Any], *columns: Column) -> Report:
        report = replace(VOLUMES, code=f"reading_club.{name}", select=make, columns=columns or VOLUMES.columns)
        registry_of(app).reports[report.code] = report
        return report

    return add


def cells(page: str) -> list[list[str]]:
    """The rows of the table on a page."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_a_report_adds_up_what_the_reader_may_see(corners: ProgramYear, as_user: AsUser) -> None:
    heading = ["Kind", "Places", "Volumes", "Cost (yuan)"]
    assert cells(as_user("clerk").get(URL + "volumes").text) == [
        heading,
        ["Reading corner", "2", "1,500", "1,235.56"],
        ["Library", "1", "2,000", "—"],
        ["Together", "3", "3,500", "1,235.56"],
    ]
    assert cells(as_user("clerk", "6102").get(URL + "volumes").text) == [
        heading,
        ["Library", "1", "2,000", "—"],
        ["Together", "1", "2,000", "0.00"],
    ]


def test_a_report_is_of_its_own_sponsor(corners: ProgramYear, as_user: AsUser, small_tree: dict[str, Org]) -> None:
    switch_on(small_tree["6101"])
    page = as_user("clerk").get("/2014/6101/reading_club/reports/volumes").text
    assert "There is nothing to report yet." in page
    assert "download.xlsx" not in page


def test_who_lacks_its_permission_does_not_see_a_report(corners: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("leader")
    assert f'href="{URL}volumes"' not in browser.get(URL).text
    assert browser.get(URL + "volumes").status_code == 403
    assert browser.get(URL + "volumes/download.xlsx").status_code == 403


def test_without_a_report_there_is_no_tab(as_user: AsUser, small_tree: dict[str, Org]) -> None:
    enable(SYSTEM, "chess", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})
    browser = as_user("leader")
    assert "/chess/reports/" not in browser.get("/2014/61/chess/").text
    assert "This program has no reports that you may see." in browser.get("/2014/61/chess/reports/").text


def test_the_tab_leads_to_the_list_and_the_list_to_the_report(corners: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert f'href="{URL}"' in browser.get("/2014/61/reading_club/").text
    page = browser.get(URL).text
    assert f'href="{URL}volumes"' in page
    assert browser.get(URL + "nothing").status_code == 404


def test_the_download_has_numbers_totals_and_its_audit_line(
    corners: ProgramYear, as_user: AsUser, tmp_path: Path
) -> None:
    response = as_user("clerk", "6101").get(URL + "volumes/download.xlsx")
    path = tmp_path / "report.xlsx"
    path.write_bytes(response.data)
    assert [row.values for row in read_rows(path)] == [
        ("Kind", "Places", "Volumes", "Cost (yuan)"),
        ("Reading corner", "2", "1500", "1235.56"),
        ("Together", "2", "1500", "1235.56"),
    ]
    line = db.session.query(AuditLine).filter_by(action="report.download").one()
    assert (line.object, line.org_path) == ("reading_club.volumes", "/61/6101/")
    assert line.data == {"program_year": corners.id, "rows": 1}


def numbers(count: int) -> Callable[[ReportContext], Select[int]]:
    """A report of so many rows."""
    return lambda _context: select(func.generate_series(1, count).label("kind"), literal(2).label("places"))


NUMBERED = (Column(name="kind", title="Number"), Column(name="places", title="Places", kind="number"))


@pytest.mark.parametrize(("count", "is_cut"), [(1000, False), (1001, True)])
def test_a_report_ends_after_a_thousand_rows_and_says_so(
    clubs: ProgramYear, as_user: AsUser, add_report: AddReport, tmp_path: Path, count: int, is_cut: bool
) -> None:
    add_report("long", numbers(count), *NUMBERED)
    browser = as_user("clerk")
    page = browser.get(URL + "long").text
    sentence = "Only the first 1,000 rows are shown, without totals."
    assert (sentence in page) == is_cut
    rows = cells(page)
    assert rows[1000] == ["1000", "2"]
    assert rows[1001:] == ([] if is_cut else [["Together", "2,000"]])
    path = tmp_path / "report.xlsx"
    path.write_bytes(browser.get(URL + "long/download.xlsx").data)
    assert [row.values for row in read_rows(path)][-1] == ((sentence, "") if is_cut else ("Together", "2000"))


def test_a_reports_own_limit_stays(clubs: ProgramYear, as_user: AsUser, add_report: AddReport) -> None:
    add_report("top", lambda context: numbers(9)(context).limit(2), *NUMBERED)
    assert cells(as_user("clerk").get(URL + "top").text)[1:] == [["1", "2"], ["2", "2"], ["Together", "4"]]


BROKEN: dict[str, Callable[[ReportContext], Any]] = {
    "raises": lambda _context: 1 // 0,
    "answers_nothing": lambda _context: None,
    "wrong_sql": lambda _context: select(text("nonsense")),
    "lacks_a_column": lambda _context: select(literal_column("1").label("kind")),
    "wrong_kind": lambda _context: select(
        *(literal_column("'x'").label(name) for name in ("kind", "places", "volumes", "cost_fen"))
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_report_is_one_sentence_and_breaks_nothing_else(
    corners: ProgramYear, as_user: AsUser, add_report: AddReport, kind: str, capfd: pytest.CaptureFixture[str]
) -> None:
    add_report("broken", BROKEN[kind])
    browser = as_user("clerk")
    page = browser.get(URL + "broken")
    assert page.status_code == 409
    assert "This report cannot be made, as its plugin failed." in page.text
    assert f'href="{URL}volumes"' not in page.text
    assert f'href="{URL}"' in page.text
    assert "reading_club.broken" in capfd.readouterr().err
    assert browser.get(URL + "broken/download.xlsx").status_code == 409
    assert db.session.query(AuditLine).filter_by(action="report.download").count() == 0
    assert browser.get(URL + "volumes").status_code == 200
