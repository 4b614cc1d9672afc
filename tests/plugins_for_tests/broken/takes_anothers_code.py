"""Broken: it brings a program that another plugin has."""

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [program("winter_warmth")]
