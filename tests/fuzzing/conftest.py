"""``pytest tests/fuzzing --fuzz 50 --seed 7``: how many times as much, and by which dice."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from core.config import Settings
from core.extensions import db
from core.users.testing import AsUser, MakeUser
from tests.disbursements import aid
from tests.fuzzing.house import House
from tests.matrix.conftest import no_count_in_the_menu as no_count_in_the_menu
from tests.matrix.world import World, plugins_to_load

FUZZ = 2


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where this folder is asked for by name; else the defaults below count."""
    parser.addoption("--fuzz", type=int, default=FUZZ, help="how many requests for each route, role and method")


@pytest.fixture
def fuzz(request: pytest.FixtureRequest) -> int:
    """How many requests for each route, role and method."""
    return int(request.config.getoption("--fuzz", default=FUZZ))


@pytest.fixture
def plugins() -> dict[str, object]:
    """Every plugin that there is, and one that pays."""
    return plugins_to_load() | {"aid": aid}


@pytest.fixture
def house(app: Flask, small_tree: object, make_user: MakeUser, as_user: AsUser, run_jobs: Callable[[], int]) -> House:
    """The house of the matrix, small, with runs, bookings and a bank's files besides."""
    return House(app, World(make_user, as_user, run_jobs, few=True), as_user)


@pytest.fixture
def put_back(house: House, settings: Settings, server_urls: tuple[str, str]) -> Iterator[Callable[[], None]]:
    """Make the database what it was when the house stood; the objects of the test are read afresh."""
    name = make_url(settings.owner_url or "").database
    plain = make_url(server_urls[0]).set(drivername="postgresql").render_as_string(hide_password=False)

    def administer(*statements: str) -> None:
        db.session.rollback()
        db.engine.dispose()
        with psycopg.connect(plain, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    administer(f"CREATE DATABASE {name}_kept TEMPLATE {name}")
    yield lambda: administer(f"DROP DATABASE {name} WITH (FORCE)", f"CREATE DATABASE {name} TEMPLATE {name}_kept")
    administer(f"DROP DATABASE {name}_kept")
