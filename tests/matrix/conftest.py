"""The house of the matrix, with every plugin that there is."""

from collections.abc import Callable

import pytest
from flask import Flask

from core.users.testing import AsUser, MakeUser
from tests.matrix.house import House
from tests.matrix.world import World, plugins_to_load

MakeWorld = Callable[..., World]


@pytest.fixture
def plugins() -> dict[str, object]:
    """The built-in plugins and those for tests."""
    return plugins_to_load()


@pytest.fixture(autouse=True)
def no_count_in_the_menu(app: Flask) -> None:
    """How much waits for a reader stands in the menu of every page; it is asked for where it is listed."""
    app.jinja_env.globals["my_count"] = int


@pytest.fixture
def make_world(small_tree: object, make_user: MakeUser, as_user: AsUser, run_jobs: Callable[[], int]) -> MakeWorld:
    """``make_world(few=False)``: the house, with entries of one county in every register, or in one of each kind."""
    return lambda **few: World(make_user, as_user, run_jobs, **few)


@pytest.fixture
def house(small_tree: object, make_user: MakeUser, as_user: AsUser, run_jobs: Callable[[], int]) -> House:
    """One thing of each kind at each of six unions; it takes a plugin that pays."""
    return House(make_user, as_user, run_jobs)
