"""Broken while running: its figures are words."""

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [program("cards_of_wrong_type")]


@hookimpl
def dashboard_cards() -> list[str]:
    return ["twelve"]
