"""The home page: what waits for me, and what the areas add to it.

An area registers providers while the application is made: :func:`provide_waiting` for things that wait for a user,
:func:`provide_panel` for a part of the page (a template and what it needs).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from flask import Blueprint, Flask, Response, current_app, g, render_template, request, session

from core.users.access import scopes_read_once
from core.users.models import User
from core.web.guard import me

EXTENSION = "zhijia_home"
#: Where the session keeps how much waits, and for how many seconds the menu of other pages goes by it.
COUNT = "waiting"
COUNT_KEPT = 60
blueprint = Blueprint("home", __name__)


@dataclass(frozen=True, kw_only=True)
class WaitingItem:
    """Something that a user is to do: ``count`` things of a kind, of which ``overdue`` are late.

    The oldest is there since ``since`` (UTC). ``due_on`` is the earliest last day in time (Asia/Shanghai), ``where``
    the union and the program that it belongs to. Without a ``url`` there is no page for it (any more).
    """

    title: str
    url: str | None
    count: int = 1
    overdue: int = 0
    since: datetime | None = None
    due_on: date | None = None
    where: str = ""

    @property
    def urgency(self) -> tuple[bool, date, bool, float]:
        """What comes first in a list: the earliest due, then the oldest."""
        return self.due_on is None, self.due_on or date.max, self.since is None, _seconds(self.since)


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A part of the home page: a template of the area that makes it, and its variables."""

    template: str
    context: Mapping[str, Any]


WaitingProvider = Callable[[User], list[WaitingItem]]
PanelProvider = Callable[[User], Panel | None]


@dataclass
class _Providers:
    waiting: list[WaitingProvider] = field(default_factory=list)
    panels: list[tuple[int, PanelProvider]] = field(default_factory=list)


def _providers(app: Flask) -> _Providers:
    providers: _Providers = app.extensions.setdefault(EXTENSION, _Providers())
    return providers


def provide_waiting(app: Flask, provider: WaitingProvider) -> None:
    """Ask ``provider(user)`` for what waits for them, on every home page."""
    _providers(app).waiting.append(provider)


def provide_panel(app: Flask, provider: PanelProvider, weight: int = 100) -> None:
    """Ask ``provider(user)`` for a part of the home page; lighter ones come first, none leaves it out."""
    _providers(app).panels.append((weight, provider))


def _seconds(instant: datetime | None) -> float:
    return instant.timestamp() if instant else 0.0


def waiting(user: User, *, but: WaitingProvider | None = None) -> list[WaitingItem]:
    """Everything that waits for ``user``: what is due, the most urgent first, then the oldest; undated comes last.

    ``but`` leaves out one provider, whose part a page shows by itself.
    """
    providers = (provider for provider in _providers(current_app).waiting if provider is not but)
    with scopes_read_once():
        items = [item for provider in providers for item in provider(user) if item.count]
    return sorted(items, key=lambda item: item.urgency)


def my_waiting() -> list[WaitingItem]:
    """Everything that waits for whoever is logged in; asked once for a page, as the menu counts it too."""
    if "waiting" not in g:
        g.waiting = waiting(me())
    items: list[WaitingItem] = g.waiting
    return items


def my_count() -> int:
    """How much waits for whoever is logged in, for the menu: asked once a minute, and after whatever they change.

    It takes statements for every register with a flow of every open year: too much for each page of everybody.
    """
    now, mine = int(time.time()), me().id
    user_id, at, count = session.get(COUNT, (None, 0, 0))
    if "waiting" in g or user_id != mine or not 0 <= now - at < COUNT_KEPT:
        count = sum(item.count for item in my_waiting())
        session[COUNT] = (mine, now, count)
    return int(count)


def forget_count() -> None:
    """Have the menu count anew."""
    if COUNT in session:
        del session[COUNT]


def _after_a_change(response: Response) -> Response:
    if request.method not in ("GET", "HEAD", "OPTIONS") and response.status_code < 400:  # what is refused is not done
        forget_count()
    return response


def panels(user: User) -> list[Panel]:
    """The parts of the home page, in order."""
    ordered = sorted(_providers(current_app).panels, key=lambda pair: pair[0])
    return [panel for _weight, provider in ordered if (panel := provider(user))]


@blueprint.get("/")
def index() -> str:
    """What waits for me, my programs, and the work that runs."""
    return render_template("home.html", waiting=my_waiting(), panels=panels(me()))


def init_app(app: Flask) -> None:
    """Mount the page, and count anew after each change."""
    app.register_blueprint(blueprint)
    app.after_request(_after_a_change)
