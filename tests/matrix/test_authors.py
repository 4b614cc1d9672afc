"""What authors of plugins ask their own pages with: it passes where the walls stand, and fails where they do not."""

from collections.abc import Callable

import pytest
from flask import Flask

from core.api import Org, Person, ProgramYear, decrypt
from core.plugin.registry import registry_of
from core.registers import services
from core.users.testing import MakeUser, hold
from tests.matrix.filling import own_values
from tests.matrix.test_registers import no_wall_one, no_wall_two
from tests.matrix.world import marker_of, plugins_to_load

pytestmark = pytest.mark.services
HIDDEN = marker_of("610102")


@pytest.fixture
def plugins() -> dict[str, object]:
    """One plugin with registers of unions and of people."""
    return {"meals": plugins_to_load()["meals"]}


def test_it_passes_with_both_walls_and_fails_without(
    app: Flask,
    small_tree: dict[str, Org],
    program_year: Callable[..., ProgramYear],
    make_user: MakeUser,
    make_person: Callable[..., Person],
    assert_walls: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    year, clerk, rows = program_year("meals"), make_user("clerk"), {}
    hold(clerk, "reviewer", small_tree["61"])
    for register in registry_of(app).registers.values():
        number = decrypt("id_number", make_person("610102", name=HIDDEN).id_number)
        whose = {"id_number": number, "name": HIDDEN, "org_code": "610102"}
        asked = {name: value for name, value in whose.items() if name in register.form.whose}
        asked |= {} if register.of_people else {"org_code": "610102"}
        rows[register.name] = services.add(clerk, register, year, asked | own_values(register, HIDDEN)).id
    assert assert_walls(year, hidden=[HIDDEN], rows=rows) == len(rows) * 27
    with pytest.raises(AssertionError, match="name an entry of the register"):
        assert_walls(year, hidden=[HIDDEN], rows={})
    no_wall_one(monkeypatch)
    no_wall_two(monkeypatch)
    with pytest.raises(AssertionError, match=r"registers/.* answers 200 to nobody.* and shows"):
        assert_walls(year, hidden=[HIDDEN], rows=rows)
