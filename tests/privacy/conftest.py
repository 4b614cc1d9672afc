"""Without plugins."""

import pytest


@pytest.fixture
def plugins() -> dict[str, object]:
    """None is needed."""
    return {}
