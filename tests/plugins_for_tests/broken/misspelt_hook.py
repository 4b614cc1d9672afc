"""Broken: a hook that does not exist."""

from core.api import MenuItem, Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [program("misspelt_hook")]


@hookimpl
def menu_itmes() -> list[MenuItem]:
    return []
