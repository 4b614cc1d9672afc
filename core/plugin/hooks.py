"""The typed front to the hooks that are asked while running: callers get checked data of the right program only.

A hook that *shows* something is isolated: when it fails, it shows nothing, and the log says why. (A hook inside a
transaction must not be isolated: there an error rolls everything back.)
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from flask import url_for

from core.extensions import db
from core.plugin.registry import registry_of
from core.plugin.types import Card, MenuItem
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.models import User

log = structlog.get_logger()
Item = TypeVar("Item", MenuItem, Card)
Shown = TypeVar("Shown")


@dataclass(frozen=True, kw_only=True)
class MenuLink:
    """A menu item of a plugin, ready for a page."""

    title: str
    url: str
    icon: str


@dataclass(frozen=True, kw_only=True)
class CardShown:
    """A figure of a plugin, ready for a page."""

    title: str
    value: str
    unit: str
    url: str | None


def menu_items(user: User, program_year: ProgramYear) -> list[MenuLink]:
    """The links that the program's plugin puts into the menu of a program year, the lightest first."""

    def show(item: MenuItem) -> MenuLink:
        return MenuLink(title=str(item.title), url=_url(item.endpoint, program_year), icon=item.icon)

    return _collected("menu_items", MenuItem, show, user, program_year)


def dashboard_cards(user: User, program_year: ProgramYear) -> list[CardShown]:
    """The figures that the program's plugin puts on the page of a program year, the lightest first."""

    def show(card: Card) -> CardShown:
        url = _url(card.endpoint, program_year) if card.endpoint else None
        return CardShown(title=str(card.title), value=str(card.value), unit=str(card.unit), url=url)

    return _collected("dashboard_cards", Card, show, user, program_year)


def _collected(
    hook: str, kind: type[Item], show: Callable[[Item], Shown], user: User, program_year: ProgramYear
) -> list[Shown]:
    weighed: list[tuple[int, Shown]] = []
    for plugin, call in _implementations(hook, program_year):
        try:
            items = call(user=user, program_year=program_year)
            if not all(isinstance(item, kind) for item in items):
                raise TypeError(f"{hook} must return a list of {kind.__name__}")
            weighed += [(item.weight, show(item)) for item in items]
        except Exception as error:
            db.session.rollback()  # a statement that failed would fail every later one of this request
            log.exception("hook failed", hook=hook, plugin=plugin, error=repr(error))
    return [shown for _weight, shown in sorted(weighed, key=lambda pair: pair[0])]


def _implementations(hook: str, program_year: ProgramYear) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The implementations of the plugin that owns the program, if it is loaded and the year is on."""
    registry = registry_of()
    owner = registry.owners.get(program_year.program)
    if owner is None or not program_year.enabled:
        return
    for implementation in getattr(registry.manager.hook, hook).get_hookimpls():
        if implementation.plugin_name == owner:
            names, function = implementation.argnames, implementation.function

            def call(names: tuple[str, ...] = names, function: Callable[..., Any] = function, **values: Any) -> Any:
                return function(*(values[name] for name in names))

            yield owner, call


def _url(endpoint: str, program_year: ProgramYear) -> str:
    return url_for(endpoint, year=program_year.year, sponsor=sponsor_code(program_year), program=program_year.program)
