"""Broken: a hook asks for an argument that it does not get."""

from core.api import MenuItem, Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [program("wrong_argument")]


@hookimpl
def menu_items(request: object) -> list[MenuItem]:
    return []
