"""The house of the fuzzing, for attacks that are tried on every address."""

from collections.abc import Callable

import pytest
from flask import Flask

from core.users.testing import AsUser, MakeUser
from tests.disbursements import aid
from tests.fuzzing.house import House
from tests.matrix.world import World, plugins_to_load


def house_plugins() -> dict[str, object]:
    """Every plugin that there is, and one that pays."""
    return plugins_to_load() | {"aid": aid}


@pytest.fixture
def house(app: Flask, small_tree: object, make_user: MakeUser, as_user: AsUser, run_jobs: Callable[[], int]) -> House:
    """The house of the matrix, small, with runs, bookings and a bank's files besides."""
    return House(app, World(make_user, as_user, run_jobs, few=True), as_user)
