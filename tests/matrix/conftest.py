"""The house of the matrix, with every plugin that there is."""

from collections.abc import Callable

import pytest
from flask import Flask

from core.users.testing import AsUser, MakeUser
from tests.matrix.reading import Reader
from tests.matrix.world import MINE, World, plugins_to_load

MakeReader = Callable[..., Reader]


@pytest.fixture
def plugins() -> dict[str, object]:
    """The built-in plugins and those for tests."""
    return plugins_to_load()


@pytest.fixture(autouse=True)
def no_counts_in_the_menu(app: Flask) -> None:
    """What waits for a reader stands in the menu of every page; it is asked once, for the pages that list it."""
    app.jinja_env.globals["my_waiting"] = list


@pytest.fixture
def world(small_tree: object, make_user: MakeUser) -> World:
    """The house, with entries of the county, of what lies below it and of an enterprise of two axes."""
    world = World(make_user)
    world.add_everywhere(MINE)
    return world


@pytest.fixture
def make_reader(world: World, as_user: AsUser, run_jobs: Callable[[], int]) -> MakeReader:
    """``make_reader(code, roles=..., program=...)``: somebody of a union, logged in; with every role unless told."""

    def make(code: str, *args: object, **more: object) -> Reader:
        user = world.user(code, *args, **more)  # type: ignore[arg-type]
        return Reader(world, user, as_user(user), run_jobs)

    return make
