"""Every page of the site, asked for by everybody, from everywhere, in every state of the program: cell by cell.

The cells come from the URL map (tests/matrix/cells.py). Whoever may must get the page, and nothing of strangers on it;
whoever may not is refused, nothing changes, and what is of others looks like what is not there.
"""

from collections import Counter

import pytest
from flask import Flask

from core.users.testing import AsUser, MakeUser
from tests.disbursements import aid
from tests.matrix.cells import (
    ASKS_MORE,
    AT_PROVINCE,
    EVERY_ROLE,
    IDS,
    NOBODY,
    OF_ONE_USER,
    OTHERS,
    RELATIONS,
    STRANGER,
    WHO,
    Cell,
    cells_of,
    is_allowed,
    routes_of,
)
from tests.matrix.house import House, register_of_house
from tests.matrix.looking import Looking
from tests.matrix.test_registers import no_wall_one, no_wall_two
from tests.matrix.world import plugins_to_load

#: All cells, and those in which the page must be handed out. Numbers that change are looked at.
CELLS, ALLOWED = 27_168, 4_170
READERS = tuple(dict.fromkeys(relation.reader for relation in RELATIONS))
#: Who asks in one test: each begins with a house of its own.
PARTS = {
    "who acts": ("clerk", "reviewer", "finance", NOBODY),
    "who looks on": ("admin", "auditor", "leader", STRANGER),
}
#: Where and whose the things are that somebody with every role asks for while walls are missing.
COUNTY, STRANGE = "610102", ("beside", "another axis")
#: The union above it, whose runs are announced to it: without wall one they wait for it too.
ABOVE = "6101"
#: Tables that are nobody's, so that every policy lets everybody by (which programs run, who approves how much); the
#: line that a change leaves; and how the reader likes to see a list. And the pages that change these alone.
HOUSE = {"core_program_year", "core_settings_version", "core_approval_rule", "core_audit", "core_list_view"}
LEFT_TO_WALL_ONE = {"years.disable", "years.enable", "years.close", "approvals.remove", "registers.view"}


@pytest.fixture
def plugins() -> dict[str, object]:
    """The built-in plugins, those for tests, and one that pays."""
    return plugins_to_load() | {"aid": aid}


def said(looking: Looking) -> list[str]:
    """What was found to be wrong, to be read."""
    return [f"{cell}: {wrong}" for cell, wrong in looking.found]


def named(wrong: str, how: str) -> set[str]:
    """What a finding says that it ``shows`` or ``changes``; nothing where it says something else."""
    return set(wrong.removeprefix(how).strip().split(", ")) if wrong.startswith(how) else set()


def test_every_argument_of_an_address_is_known(app: Flask) -> None:
    """A new one has its meaning said in cells.py, and a thing of each union for it where it names one."""
    there = {name for route in routes_of(app) for name in route.rule.arguments}
    assert there - IDS - OTHERS == set(), "say in tests/matrix/cells.py whether these name something of a union"
    assert (IDS | OTHERS) - there == set(), "these are gone"


def test_the_cells_are_counted(app: Flask) -> None:
    register = register_of_house()
    cells = [cell for reader in READERS for who in (*WHO, STRANGER) for cell in cells_of(app, reader, who)]
    assert set(sum(PARTS.values(), ())) == {*WHO, STRANGER}
    counts = Counter(is_allowed(app, cell, register) for cell in cells)
    assert (counts.total(), counts[True]) == (CELLS, ALLOWED)


@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("reader", READERS)
def test_every_page_is_for_whom_it_is_for(
    app: Flask,
    house: House,
    make_user: MakeUser,
    as_user: AsUser,
    monkeypatch: pytest.MonkeyPatch,
    reader: str,
    part: str,
) -> None:
    found = []
    for who in PARTS[part]:
        looking = Looking(app, house, reader, who, make_user, as_user)
        looking.ask(cells_of(app, reader, who), monkeypatch)
        found += said(looking)
    assert found == []


@pytest.fixture
def omnipotent(app: Flask, house: House, make_user: MakeUser, as_user: AsUser) -> Looking:
    """Somebody of a county with every role, whom nothing but the walls keeps from what is of others."""
    return Looking(app, house, COUNTY, EVERY_ROLE, make_user, as_user)


def of_others(app: Flask) -> list[Cell]:
    """Every page, about what lies beside and on the other axis."""
    return list(cells_of(app, COUNTY, EVERY_ROLE, ["on"], STRANGE))


@pytest.mark.timeout(400)
def test_wall_two_holds_by_itself(app: Flask, omnipotent: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of others is shown or changed; that a page is an error then, or lists nothing, tells nothing of them."""
    no_wall_one(monkeypatch)
    omnipotent.ask(of_others(app), monkeypatch)
    shown = [(cell, named(wrong, "shows")) for cell, wrong in omnipotent.found]
    assert [f"{cell}: {codes}" for cell, codes in shown if codes - {ABOVE}] == []
    changed = [(cell, named(wrong, "changes")) for cell, wrong in omnipotent.found]
    assert [f"{cell}: {tables}" for cell, tables in changed if tables - HOUSE] == []
    assert {cell.route.endpoint for cell, tables in changed if tables} == LEFT_TO_WALL_ONE


@pytest.mark.timeout(400)
def test_wall_one_holds_by_itself(app: Flask, omnipotent: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    no_wall_two(monkeypatch)
    omnipotent.ask(of_others(app), monkeypatch)
    assert said(omnipotent) == []


@pytest.mark.timeout(400)
def test_without_walls_every_page_of_others_is_red(
    app: Flask, omnipotent: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_wall_one(monkeypatch)
    no_wall_two(monkeypatch)
    cells = of_others(app)
    omnipotent.ask(cells, monkeypatch, keep=False)
    # What belongs to a user, what only the province does, and a page that its address alone does not lead to.
    never = OF_ONE_USER | AT_PROVINCE | ASKS_MORE
    placed = {str(cell) for cell in cells if cell.route.is_placed and cell.route.endpoint not in never}
    assert sorted(placed - {str(cell) for cell, _wrong in omnipotent.found}) == []
