"""Broken: it builds on a program that nobody brings."""

from dataclasses import replace

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [replace(program("requires_missing"), requires=("halls",))]
