"""Broken: programs as plain dictionaries."""

from core.api import hookimpl


@hookimpl
def programs() -> list[dict[str, str]]:
    return [{"code": "unknown_return_type"}]
