"""Plugins as they are installed: which may load, and for which zhijia they are written."""

from importlib.metadata import Distribution, EntryPoint, version
from pathlib import Path

import pytest

from core.plugin.distributions import allowing, candidate_of, discover_plugins, not_allowed
from core.plugin.registry import reason_of
from tests.plugins_for_tests.made import loaded
from tests.plugins_for_tests.reading_club import plugin as reading_club


def test_foreign_plugins_are_only_found_when_they_are_allowed_and_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("aaa", "elsewhere.plugin", "zhijia.plugins"),
        EntryPoint("zzz", "plugins.zzz.plugin", "zhijia.plugins"),
        EntryPoint("bbb", "plugins.bbb.plugin", "zhijia.plugins"),
        EntryPoint("ccc", "pluginsuite.plugin", "zhijia.plugins"),
    ]
    monkeypatch.setattr("core.plugin.distributions.entry_points", lambda **_group: points)
    assert [candidate.name for candidate in discover_plugins(())] == ["bbb", "zzz"]
    assert [candidate.name for candidate in discover_plugins(("aaa",))] == ["bbb", "zzz", "aaa"]


def test_a_foreign_plugin_that_was_named_and_is_not_installed_is_in_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.plugin.distributions.entry_points", lambda **_group: [])
    registry = loaded(*discover_plugins(("nobody",)))
    assert reason_of(registry.failed["nobody"]) == "ZHIJIA_PLUGINS names it, but no such plugin is installed."


class Shipped(Distribution):
    """A distribution that requires these."""

    def __init__(self, *requires: str) -> None:
        self.needs = requires

    def read_text(self, filename: str) -> str | None:
        lines = "".join(f"Requires-Dist: {line}\n" for line in self.needs)
        return f"Metadata-Version: 2.1\nName: books\nVersion: 1.2\n{lines}" if filename == "METADATA" else None

    def locate_file(self, path: object) -> Path:  # noqa: ARG002 - the name is that of the standard library
        raise FileNotFoundError


def shipped(*requires: str, module: str = "tests.plugins_for_tests.reading_club.plugin") -> EntryPoint:
    """The entry point of a plugin ``books``, whose distribution requires these."""
    point = EntryPoint("books", module, "zhijia.plugins")
    vars(point)["dist"] = Shipped(*requires)
    return point


HERE = version("zhijia")


@pytest.mark.parametrize(
    "requires",
    [
        (),
        ("zhijia",),
        (f"zhijia>={HERE}",),
        (f"zhijia<={HERE}",),
        (f"Zhijia=={HERE}",),
        ("flask>=99",),
        ('zhijia>=99; python_version < "3"',),
        ('zhijia>=99; extra == "future"',),
    ],
)
def test_a_plugin_that_is_written_for_this_version_is_loaded(requires: tuple[str, ...]) -> None:
    assert candidate_of(shipped(*requires)).bring() is reading_club


@pytest.mark.parametrize(
    ("requires", "sentence"),
    [
        (("zhijia>=7,<8",), f"It is written for zhijia >=7,<8; this is {HERE}."),
        ((f"zhijia>{HERE}",), f"It is written for zhijia >{HERE}; this is {HERE}."),
        ((f"zhijia<{HERE}",), f"It is written for zhijia <{HERE}; this is {HERE}."),
        (("zhijia>=0.0.1", "zhijia<0.0.2"), f"It is written for zhijia >=0.0.1,<0.0.2; this is {HERE}."),
        (("zhijia>=0.1 <0.2",), "Its distribution requires 'zhijia>=0.1 <0.2', which cannot be read."),
    ],
)
def test_a_plugin_that_is_written_for_another_version_is_not_even_imported(
    requires: tuple[str, ...], sentence: str
) -> None:
    point = shipped(*requires, module="tests.plugins_for_tests.broken.too_new")
    registry = loaded(candidate_of(point))
    assert reason_of(registry.failed["books"]) == sentence
    assert registry.versions["books"] == "1.2"


def test_who_is_installed_and_not_allowed_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("aaa", "elsewhere.plugin", "zhijia.plugins"),
        EntryPoint("zzz", "plugins.zzz.plugin", "zhijia.plugins"),
    ]
    monkeypatch.setattr("core.plugin.distributions.entry_points", lambda **_group: points)
    assert [point.name for point in not_allowed(())] == ["aaa"]
    assert not_allowed(("aaa",)) == []
    assert allowing(points[0], ("bbb",)) == "ZHIJIA_PLUGINS=bbb,aaa"
