"""``pytest tests/chaos --kills 200 --seed 7``: how often and by which dice."""

import pytest

from tests.disbursements.conftest import campaign as campaign
from tests.disbursements.conftest import plugins as plugins

KILLS = 20


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known where this folder is asked for by name; else the defaults below count."""
    parser.addoption("--kills", type=int, default=KILLS, help="how many faults in all")


@pytest.fixture
def kills(request: pytest.FixtureRequest) -> int:
    """How many faults in all."""
    return int(request.config.getoption("--kills", default=KILLS))
