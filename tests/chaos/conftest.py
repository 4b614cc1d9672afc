"""``pytest tests/chaos --kills 200 --seed 7``: how often and by which dice."""

import pytest

from tests.disbursements.conftest import campaign as campaign
from tests.disbursements.conftest import plugins as plugins


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where this folder is asked for by name; else the defaults below count."""
    parser.addoption("--kills", type=int, default=KILLS, help="how many faults in all")
    parser.addoption("--seed", type=int, default=SEED, help="what the dice begin with")


KILLS = 20
SEED = 20140124


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How many faults in all."""
    return int(request.config.getoption("--kills", default=KILLS))


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What the dice begin with; the same seed throws the same faults, though not at the same instant."""
    return int(request.config.getoption("--seed", default=SEED))
