"""Fixtures of the tests of study aid."""

import pytest
from flask import Flask

from core.api import Org, ProgramYear
from plugins.four_seasons.tests.autumn.students import SETTINGS, plugins_with_files, switch_on


@pytest.fixture
def plugins() -> dict[str, object]:
    """The campaigns, and files of workers in hardship."""
    return plugins_with_files()


@pytest.fixture
def year(app: Flask, small_tree: dict[str, Org]) -> ProgramYear:
    """Autumn of 2014, run by the province, with files of workers in hardship."""
    switch_on("dossiers")
    return switch_on("autumn_study_aid", **SETTINGS)
