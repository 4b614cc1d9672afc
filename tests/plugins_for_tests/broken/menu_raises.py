"""Broken while running: its menu fails."""

from core.api import Card, MenuItem, Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [program("menu_raises")]


@hookimpl
def menu_items() -> list[MenuItem]:
    raise LookupError("the menu is lost")


@hookimpl
def dashboard_cards() -> list[Card]:
    return [Card(title="Figure that is in order", value="12")]
