"""Asking for a cell of the matrix, and saying what is wrong with the answer."""

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from core.audit import testing as audited
from core.extensions import db
from core.users.access import permission_of
from core.users.roles import ROLES
from core.users.testing import AsUser, Browser, MakeUser, hold
from tests.matrix.asking import Answer, plain
from tests.matrix.cells import ANNOUNCED, EVERY_ROLE, STRANGER, Cell, form_of, is_allowed, needed, values_of
from tests.matrix.house import House
from tests.matrix.world import Watch

IN_PART = {"HX-Request": "true"}
_STATE = """
UPDATE core_program_year
   SET enabled = :state <> 'off', closes_on = CASE WHEN :state = 'closed' THEN CAST(year || '-12-31' AS date) END
"""


class Looking:
    """Somebody with a role somewhere, who asks for one cell after the other. ``found`` are those that are wrong."""

    def __init__(self, app: Flask, house: House, reader: str, who: str, make_user: MakeUser, as_user: AsUser) -> None:
        self.app, self.house, self.who = app, house, who
        self.counts: Counter[str] = Counter()
        self.found: list[tuple[Cell, str]] = []
        self._watch, self._state = Watch(), ""
        self._nothing: dict[str, Answer] = {}
        self.browser: Browser = self._enter(reader, make_user, as_user)
        cookie = self.browser.get_cookie("session")
        self._cookie = cookie.value if cookie else ""
        self._strange = house.world.strange_to(reader)

    def _enter(self, reader: str, make_user: MakeUser, as_user: AsUser) -> Browser:
        if self.who == STRANGER:
            client = self.app.test_client()
            assert isinstance(client, Browser)
            return client
        user = make_user(self.who if self.who in ROLES else None, reader)
        for role in ROLES if self.who == EVERY_ROLE else ():
            hold(user, role, self.house.world.org(reader))
        return as_user(user)

    def ask(self, cells: Iterable[Cell], monkeypatch: pytest.MonkeyPatch, *, keep: bool = True) -> None:
        """Ask for all of these; ``keep`` what is done where nothing should be, to see that nothing is."""
        for cell in cells:
            self._put(cell.state)
            allowed = is_allowed(self.app, cell, self.house.register)
            self.counts["allowed" if allowed else "refused"] += 1
            with monkeypatch.context() as patch:
                if allowed or not keep:  # what is done is not kept, so that the next finds all as it was
                    patch.setattr(Session, "commit", _flush)
                wrong = self._allowed(cell) if allowed else self._refused(cell)
            if wrong:
                self.found.append((cell, wrong))
        self._put("on")

    def _put(self, state: str) -> None:
        """Switch every program year on or off, or close it."""
        if state != self._state:
            db.session.execute(text(_STATE), {"state": state})
            db.session.commit()
            self._state = state

    def _allowed(self, cell: Cell) -> str:
        answer = self._sent(cell)
        refused = answer.status in (401, 403, 404) or answer.status >= 500
        if refused or (answer.status >= 400 and not cell.route.writes):
            return f"wrongly refused (status {answer.status})"
        codes, numbers = self._strange
        announced = {cell.relation.place} if cell.route.endpoint in ANNOUNCED else set()
        if cell.route.writes or announced & codes:
            return ""
        betrayed = answer.betrays(codes, numbers)
        return f"shows {', '.join(sorted(betrayed))}" if betrayed else ""

    def _refused(self, cell: Cell) -> str:
        if cell.route.writes:
            self._watch.begin()
        answer = self._sent(cell)
        if cell.route.writes and (changed := self._watch.changed()):
            return f"changes {', '.join(changed)}"
        if self.who == STRANGER:
            return "" if answer.status in (302, 401) else f"status {answer.status}"
        if not answer.is_refusal:
            codes, numbers = self._strange
            betrayed = answer.without(*self._named(cell)).betrays(codes, numbers)
            return f"shows {', '.join(sorted(betrayed))}" if betrayed else f"status {answer.status}"
        if cell.state == "on" and not cell.relation.sees and self._may(cell) and answer.without(
            *self._named(cell)) != self._missing(cell):  # fmt: skip
            return "tells it from nothing"
        return ""

    def _may(self, cell: Cell) -> bool:
        """Whether the reader could, were it theirs; who could not is told so whatever the number."""
        permission = permission_of(needed(cell.route, self.house.register))
        return permission is None or self.who == EVERY_ROLE or self.who in permission.roles

    def _missing(self, cell: Cell) -> Answer:
        key = f"{cell.route.method} {cell.route.endpoint}"
        if key not in self._nothing:
            things = self.house.missing(cell.relation.place)
            self._nothing[key] = self._sent(cell, things).without(*self._named(cell, things))
        return self._nothing[key]

    def _named(self, cell: Cell, things: dict[str, Any] | None = None) -> list[Any]:
        things = things or self.house.things[cell.relation.place]
        return [value for name, value in values_of(cell.route, things, self.house.register).items() if name != "year"]

    def _sent(self, cell: Cell, things: dict[str, Any] | None = None) -> Answer:
        route = cell.route
        things = things or self.house.things[cell.relation.place]
        values = values_of(route, things, self.house.register)
        url = self.app.url_map.bind("localhost").build(route.endpoint, values, method=route.method)
        if self._cookie:  # whoever logged out or changed the language comes back
            self.browser.set_cookie("session", self._cookie)
        response = self.browser.open(
            url, method=route.method, data=form_of(route, self.house.register, things), headers=IN_PART
        )
        reference = response.headers["X-Request-ID"].encode()
        return Answer(response.status_code, plain(response.data).replace(reference, b""))


def _flush(session: Session) -> None:
    session.flush()
    audited.keep(session.connection())
