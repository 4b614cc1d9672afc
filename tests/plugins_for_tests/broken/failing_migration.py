"""Broken: its first revision fails halfway."""

from pathlib import Path

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


@hookimpl
def programs() -> list[Program]:
    return [program("failing_migration")]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "failing_migration_revisions"
