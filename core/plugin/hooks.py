"""The typed front to the hooks that are asked while running: callers get checked data of the right plugins only.

A hook that *shows* something is isolated: when it fails, it shows nothing, and the log says why. A hook inside a
transaction is not: when it fails, the whole transaction is rolled back, and the caller gets a sentence that names it.
Areas of the core that are registered as ``core.<area>`` answer the latter beside the plugins.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any, TypeVar

import structlog
from flask import url_for
from flask_babel import gettext as _

from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.people.models import Person
from core.plugin.registry import CORE_AREA, Registry, reason_of, registry_of
from core.plugin.types import Blocker, Card, Copied, MenuItem, PersonalDataAction, PersonalRecord
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.models import User

log = structlog.get_logger()
Item = TypeVar("Item", MenuItem, Card)
Answer = TypeVar("Answer")
Shown = TypeVar("Shown")
Call = Callable[..., Any]


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

    return _shown("menu_items", MenuItem, show, user, program_year)


def dashboard_cards(user: User, program_year: ProgramYear) -> list[CardShown]:
    """The figures that the program's plugin puts on the page of a program year, the lightest first."""

    def show(card: Card) -> CardShown:
        url = _url(card.endpoint, program_year) if card.endpoint else None
        return CardShown(title=str(card.title), value=str(card.value), unit=str(card.unit), url=url)

    return _shown("dashboard_cards", Card, show, user, program_year)


def year_enabled(program_year: ProgramYear) -> None:
    """Let the program's plugin make the rows that a year begins with, in the caller's transaction.

    Raises :class:`Refused`, with the transaction rolled back, when it fails.
    """
    for name, call in _of_year("year_enabled", program_year):
        with _Guarded("year_enabled", name):
            call(program_year=program_year)


def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """Let the program's plugin take its quotas over, in the caller's transaction; what it took.

    Raises :class:`Refused`, with the transaction rolled back, when it fails.
    """
    return _answers(Copied, "year_copied", _of_year("year_copied", target), source=source, target=target)


def year_blockers(program_year: ProgramYear) -> list[Blocker]:
    """What stands in the way of opening or closing the year. A plugin that cannot say it stands in the way of both."""
    found: list[Blocker] = []
    for name, call in _of_year("year_blockers", program_year):
        try:
            with db.session.begin_nested():  # what fails in here leaves the caller's transaction as it was
                found += _checked("year_blockers", Blocker, call(program_year=program_year))
        except Exception as error:
            log.exception("hook failed", hook="year_blockers", plugin=name, error=repr(error))
            sentence = _("The plugin “%(plugin)s” failed: %(reason)s", plugin=name, reason=reason_of(error))
            found += [Blocker(step="open", sentence=sentence), Blocker(step="close", sentence=sentence)]
    return found


def person_merged(kept: Person, dropped: Person) -> None:
    """Let every loaded plugin move what points at ``dropped``, whatever is on this year, in the caller's transaction.

    Raises :class:`Refused`, with the transaction rolled back, when one fails or refuses.
    """
    for name, call in _of_all("person_merged"):
        with _Guarded("person_merged", name):
            call(kept=kept, dropped=dropped)


def person_moved(person: Person, org: Org) -> None:
    """Let every loaded plugin move what goes along with a person to ``org``, in the caller's transaction.

    Raises :class:`Refused`, with the transaction rolled back, when one fails or refuses.
    """
    for name, call in _of_all("person_moved"):
        with _Guarded("person_moved", name):
            call(person=person, org=org)


def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    """What every loaded plugin keeps about a person; with ``erase`` each makes its own unreadable.

    In the caller's transaction. Raises :class:`Refused`, with the transaction rolled back, when one fails or refuses:
    a list that lacks something, or an erasing that left something, must not pass for whole.
    """
    return _answers(PersonalRecord, "personal_data", _of_all("personal_data"), person=person, action=action)


def scan_file(content: IO[bytes], name: str) -> list[str]:
    """What every loaded plugin and the core's own scanner find in a file that is uploaded; mostly nothing.

    Each reads the content from its beginning. Raises :class:`Refused` when one cannot say: unchecked is not taken.
    """
    found: list[str] = []
    for plugin, call in _of_all("scan_file"):
        with _Guarded("scan_file", plugin):
            content.seek(0)
            answer = call(content=content, name=name)
            if answer is not None and not isinstance(answer, str):
                raise TypeError("scan_file must return a str or None")
            found += [answer] if answer is not None else []
    return found


class _Guarded:
    """Around a hook inside a transaction: any failure rolls back and becomes a sentence."""

    def __init__(self, hook: str, plugin: str) -> None:
        self._hook, self._plugin = hook, plugin

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if not isinstance(error, Exception):
            return
        if not db.session().in_nested_transaction():  # else whoever opened the inner one ends it
            db.session.rollback()
        if isinstance(error, ZhijiaError):
            return
        log.error("hook failed", hook=self._hook, plugin=self._plugin, exc_info=error)
        raise Refused(
            _(
                "The plugin “%(plugin)s” failed, and nothing was changed: %(reason)s",
                plugin=self._plugin,
                reason=reason_of(error),
            )
        ) from error


def _answers(kind: type[Answer], hook: str, calls: Iterator[tuple[str, Call]], **values: Any) -> list[Answer]:
    found: list[Answer] = []
    for name, call in calls:
        with _Guarded(hook, name):
            found += _checked(hook, kind, call(**values))
    return found


def _checked(hook: str, kind: type[Answer], answer: Any) -> list[Answer]:
    if not isinstance(answer, list) or not all(isinstance(item, kind) for item in answer):
        raise TypeError(f"{hook} must return a list of {kind.__name__}")
    return answer


def _shown(
    hook: str, kind: type[Item], show: Callable[[Item], Shown], user: User, program_year: ProgramYear
) -> list[Shown]:
    weighed: list[tuple[int, Shown]] = []
    for name, call in _of_year(hook, program_year):
        try:
            items = _checked(hook, kind, call(user=user, program_year=program_year))
            weighed += [(item.weight, show(item)) for item in items]
        except Exception as error:
            db.session.rollback()  # a statement that failed would fail every later one of this request
            log.exception("hook failed", hook=hook, plugin=name, error=repr(error))
    return [shown for _weight, shown in sorted(weighed, key=lambda pair: pair[0])]


def _of_year(hook: str, program_year: ProgramYear) -> Iterator[tuple[str, Call]]:
    """The implementations of the plugin that owns the program and of the core; none while the year is off."""
    registry = registry_of()
    if program_year.enabled:
        owner = registry.owners.get(program_year.program)
        yield from _implementations(registry, hook, lambda name: name == owner)


def _of_all(hook: str) -> Iterator[tuple[str, Call]]:
    return _implementations(registry_of(), hook, lambda _name: True)


def _implementations(registry: Registry, hook: str, wanted: Callable[[str], bool]) -> Iterator[tuple[str, Call]]:
    for implementation in getattr(registry.manager.hook, hook).get_hookimpls():
        name = implementation.plugin_name
        if name.startswith(CORE_AREA) or wanted(name):
            names, function = implementation.argnames, implementation.function

            def call(names: tuple[str, ...] = names, function: Call = function, **values: Any) -> Any:
                return function(*(values[name] for name in names))

            yield name, call


def _url(endpoint: str, program_year: ProgramYear) -> str:
    return url_for(endpoint, year=program_year.year, sponsor=sponsor_code(program_year), program=program_year.program)
