"""An installation that knows two data keys and uses the first."""

from dataclasses import replace
from pathlib import Path

import pytest

from core.config import Settings
from core.data_keys import DataKeys

FIRST, SECOND = b"k" * 32, b"n" * 32
BOTH = DataKeys.of({1: FIRST, 2: SECOND})


@pytest.fixture
def plugins() -> dict[str, object]:
    """None is needed."""
    return {}


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """Its files lie in a folder of their own."""
    instance = tmp_path / "instance"
    instance.mkdir()
    return replace(settings, instance=instance, data_keys=BOTH)
