"""What a plugin works out about a row follows the row, or the row does not change."""

from dataclasses import replace

import pytest
from sqlalchemy import Select, update

from core.errors import Refused
from core.extensions import db
from core.plugin.registry import registry_of
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers import services
from core.registers.history import values_of
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, Corner
from tests.registers.conftest import PLAIN, add_corner

pytestmark = pytest.mark.services


def count(_year: ProgramYear, ids: Select[int]) -> None:
    """The number of volumes stands in the name."""
    worked_out = {"name": Corner.volumes.cast(Corner.name.type)}
    db.session.execute(update(Corner).where(Corner.id.in_(ids)).values(worked_out))


def refuse(_year: ProgramYear, _ids: Select[int]) -> None:
    raise Refused("It cannot be worked out.")


@pytest.fixture
def register() -> Register:
    """Corners whose name is worked out."""
    return replace(CORNERS, follows=count)


def test_it_follows_a_row_that_is_added_and_one_that_is_changed(
    clubs: ProgramYear, make_user: MakeUser, register: Register
) -> None:
    clerk = make_user("clerk")
    row, other = (services.add(clerk, register, clubs, PLAIN | {"volumes": volumes}) for volumes in (1200, 30))
    assert (row.name, other.name) == ("1200", "30")
    services.change(clerk, register, clubs, row, {"volumes": 7}, values_of(register, row))
    assert (row.name, other.name) == ("7", "30")


def test_a_row_that_stays_as_it_is_asks_for_nothing(
    clubs: ProgramYear, make_user: MakeUser, register: Register
) -> None:
    clerk = make_user("clerk")
    row = services.add(clerk, register, clubs, PLAIN)
    services.change(clerk, replace(register, follows=refuse), clubs, row, {"volumes": 1200}, values_of(register, row))


def test_what_cannot_be_worked_out_is_not_saved(
    clubs: ProgramYear, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry_of().registers, CORNERS.code, replace(CORNERS, follows=refuse))
    assert add_corner(as_user("clerk")) == 400
    assert db.session.query(Corner).all() == []
