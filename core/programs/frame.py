"""What every page of a program year shows, and what other areas add to it: tabs, and parts of its first page.

An area that builds on programs registers while the application is made; programs themselves know none of them.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, current_app, request, url_for
from flask_babel import LazyString

from core.plugin.hooks import menu_items
from core.programs.models import ProgramYear
from core.users.access import can_anywhere
from core.users.models import User
from core.web.home import Panel

EXTENSION = "zhijia_year_frame"
PanelProvider = Callable[[User, ProgramYear], Panel | None]
#: Gives titles and addresses.
TabProvider = Callable[[User, ProgramYear], list[tuple[str, str]]]


@dataclass(frozen=True, kw_only=True)
class YearTab:
    """A page of the core that every program year has, for who holds ``permission`` somewhere."""

    title: LazyString
    endpoint: str
    permission: str


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A tab, ready for a page."""

    title: str
    url: str
    is_current: bool


@dataclass
class _Parts:
    tabs: list[TabProvider] = field(default_factory=list)
    panels: list[PanelProvider] = field(default_factory=list)


def _parts(app: Flask) -> _Parts:
    parts: _Parts = app.extensions.setdefault(EXTENSION, _Parts())
    return parts


def provide_tab(app: Flask, tab: YearTab) -> None:
    """Show ``tab`` on every page of every program year, after the pages of the plugin."""

    def fixed(user: User, _program_year: ProgramYear) -> list[tuple[str, str]]:
        return [(str(tab.title), url_for(tab.endpoint))] if can_anywhere(user, tab.permission) else []

    provide_tabs(app, fixed)


def provide_tabs(app: Flask, provider: TabProvider) -> None:
    """Ask ``provider(user, program_year)`` for tabs that depend on the program, on every page of a program year."""
    _parts(app).tabs.append(provider)


def provide_panel(app: Flask, provider: PanelProvider) -> None:
    """Ask ``provider(user, program_year)`` for a part of the first page of a program year; none leaves it out."""
    _parts(app).panels.append(provider)


def panels(user: User, program_year: ProgramYear) -> list[Panel]:
    """The parts of the first page, in the order in which they were registered."""
    return [panel for provider in _parts(current_app).panels if (panel := provider(user, program_year))]


def tabs(user: User, program_year: ProgramYear) -> list[Tab]:
    """The overview, the pages of the plugin, then those of the core; the longest address that fits is current."""
    found = [("", url_for("programs.home"))]
    found += [(link.title, link.url) for link in menu_items(user, program_year)]
    for provider in _parts(current_app).tabs:
        found += provider(user, program_year)
    here = max((url for _title, url in found if request.path.startswith(url)), key=len, default="")
    return [Tab(title=title, url=url, is_current=url == here) for title, url in found]
