"""The registers of the reading clubs, as lists to be read."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from core.extensions import db
from core.org.models import Org
from core.programs.models import ProgramYear
from tests.plugins_for_tests.reading_club.registers import Corner
from tests.registers.conftest import clubs, english, make_person, plugins

__all__ = ["clubs", "english", "make_corner", "make_person", "plugins"]
MakeCorner = Callable[..., Corner]
CORNERS_URL = "/2014/61/reading_club/registers/corners/"


@pytest.fixture
def make_corner(clubs: ProgramYear, small_tree: dict[str, Org]) -> MakeCorner:
    """``make_corner("一号", "610102", volumes=1, …)`` puts a reading corner into the register."""

    def make(name: str, code: str = "610102", **values: Any) -> Corner:
        org, usual = small_tree[code], {"kind": "corner", "volumes": 10, "opened_on": date(2014, 3, 5)}
        row = Corner(program_year_id=clubs.id, org_id=org.id, org_path=org.path, name=name, **(usual | values))
        db.session.add(row)
        db.session.commit()
        return row

    return make
