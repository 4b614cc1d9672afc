"""The reading clubs of the registers' tests."""

from tests.registers.conftest import clubs, english, make_person, plugins

__all__ = ["clubs", "english", "make_person", "plugins"]
