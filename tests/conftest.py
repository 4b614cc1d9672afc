"""Shared fixtures of the tests of this repository; those that plugin authors use too are in core/testing.py."""

import pytest

SEED = 20140124


def pytest_addoption(parser: pytest.Parser) -> None:
    """For the tests that throw dice, which each have an option for how often besides."""
    parser.addoption("--seed", type=int, default=SEED, help="what the dice begin with")


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What the dice begin with; with the same seed they fall the same way."""
    return int(request.config.getoption("--seed"))


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages speak English whatever their reader chose, whether or not the Chinese catalogue has been compiled."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")
