"""A year of aid with a line, for the tests of this plugin."""

from datetime import date

import pytest
from flask import Flask

from core.api import SYSTEM, Org, ProgramYear
from core.programs.services import enable

#: Of the worked example: 1,062 yuan a head and month.
LINE = 1_062_00
PAGES = "/2014/61/hardship_aid"


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are compared in English, whatever a reader chose and whether or not the catalogue has been compiled."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")


@pytest.fixture
def program_year(app: Flask, small_tree: dict[str, Org]) -> ProgramYear:
    """The year 2014, run by the province: a line of 1,062 yuan, no public notice."""
    settings = {"line": LINE, "notice_working_days": 0}
    return enable(SYSTEM, "hardship_aid", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings=settings)
