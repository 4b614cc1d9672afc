"""Plugins made in a line, and a registry that tries them beside a good one."""

from types import SimpleNamespace
from typing import Any

from flask import Blueprint

from core.plugin.hookspecs import hookimpl
from core.plugin.registry import Candidate, Registry, given, load, reason_of
from core.plugin.types import Program
from tests.plugins_for_tests.reading_club import plugin as reading_club


def program(code: str, **more: Any) -> Program:
    return Program(code=code, title=code, title_zh=code, title_en=code, **more)


def plugin(**answers: Any) -> SimpleNamespace:
    """A plugin whose hooks give these answers."""

    def hook(name: str, answer: Any) -> Any:
        def function() -> Any:
            return answer

        function.__name__ = name
        return hookimpl(function)

    return SimpleNamespace(**{name: hook(name, answer) for name, answer in answers.items()})


def loaded(*candidates: Candidate) -> Registry:
    """A registry that tried these, and after them a good plugin that must always be there."""
    registry = Registry()
    load(registry, [*candidates, *given({"reading_club": reading_club})], strict=False)
    assert "reading_club" in registry.plugins
    return registry


def reason(name: str, bad: object, *others: Candidate) -> str:
    """Why the plugin ``name`` was refused; nothing of it may stay behind."""
    registry = loaded(*others, Candidate(name, lambda: bad))
    assert name not in registry.plugins
    assert set(registry.owners.values()) <= set(registry.plugins)
    assert not registry.manager.has_plugin(name)
    return reason_of(registry.failed[name])


def view(**_values: Any) -> str:
    return "seen"


def blueprint(name: str, rule: str = "/list", **more: Any) -> Blueprint:
    made = Blueprint(name, __name__, **more)
    made.add_url_rule(rule, "list", view)
    return made
