"""Shared fixtures of the tests of this repository; those that plugin authors use too are in core/testing.py."""

import pytest


@pytest.fixture
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages speak English whatever their reader chose, whether or not the Chinese catalogue has been compiled."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")
