"""Entries that could be the same as one that is about to be added, in a register of unions."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.extensions import db
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.registers import similar
from core.registers.services import add
from core.registers.similar import Similar
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, Corner
from tests.registers.conftest import CORNER, PLAIN, URL, add_corner

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def by_volumes(clubs: ProgramYear, monkeypatch: pytest.MonkeyPatch) -> None:
    """Corners with as many volumes could be the same."""
    register = replace(CORNERS, similar=lambda _year, row: [select(Corner.id).where(Corner.volumes == row["volumes"])])
    monkeypatch.setitem(registry_of().registers, CORNERS.code, register)


def test_they_are_shown_as_far_as_the_user_may_see_and_the_others_counted(as_user: AsUser) -> None:
    province, county = as_user("clerk"), as_user("clerk", "610102")
    assert add_corner(province, org_code="610103") == 302
    assert add_corner(province, org_code="610102", volumes="7") == 302
    page = county.post(f"{URL}corners/add", data=CORNER | {"name": "又一处"})
    assert page.status_code == 409
    assert "1 at other unions, which you do not see" in page.text
    assert "corners/1" not in page.text
    page = county.post(f"{URL}corners/add", data=CORNER | {"name": "又一处", "volumes": "7"})
    assert "corners/2" in page.text
    assert "at other unions" not in page.text
    assert "It is none of them; save it." in page.text
    found = re.search(r'name="others" value="(\w+)"', page.text)
    assert found is not None
    again = county.post(f"{URL}corners/add", data=CORNER | {"name": "又一处", "volumes": "7", "others": found[1]})
    assert again.status_code == 302


def test_those_of_another_year_are_none(clubs: ProgramYear, as_user: AsUser) -> None:
    other = ProgramYear(
        program="reading_club", title={}, year=2013, org_id=clubs.org_id, org_path="/61/", opens_on=clubs.opens_on
    )
    db.session.add(other)
    db.session.flush()
    union = clubs.org_id
    db.session.add(
        Corner(program_year_id=other.id, org_id=union, org_path="/61/", name="旧", kind="library", volumes=1200)
    )
    db.session.commit()
    assert add_corner(as_user("clerk")) == 302


def test_the_service_asks_by_itself_and_shows_no_more_than_people_read(
    clubs: ProgramYear, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(similar, "MOST_SHOWN", 2)
    clerk, register = make_user("clerk"), registry_of().registers[CORNERS.code]
    for number in range(3):
        add(clerk, CORNERS, clubs, PLAIN | {"name": f"书屋{number}"})
    with pytest.raises(Similar) as refused:
        add(clerk, register, clubs, PLAIN | {"name": "新"})
    assert ([line.id for line in refused.value.lines], refused.value.elsewhere) == ([1, 2], 0)
    assert db.session.query(Corner).count() == 3
    add(clerk, register, clubs, PLAIN | {"name": "新"}, refused.value.token)
    assert db.session.query(Corner).count() == 4
