"""A fixture for plugin authors: whether their pages keep to the two walls; core/testing.py exports it."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import pytest
from flask import Flask
from werkzeug.routing import Rule

from core.extensions import db
from core.plugin.gate import PARTS
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.queries import sponsor_code
from core.users.roles import ROLES
from core.users.testing import AsUser, Browser, MakeUser, hold, plant
from core.web import marks

AssertWalls = Callable[..., int]
#: What the pages of a register are asked with, besides the part of the address that names the entry.
REGISTER = {"name", "row_id"}


@pytest.fixture
def assert_walls(app: Flask, make_user: MakeUser, as_user: AsUser) -> AssertWalls:
    """``assert_walls(year, hidden=["王秦安"], rows={"receivers": 3}, beside="610103", visit_id=7) -> int``.

    Asks every page of the program, and of its registers, as somebody who holds every role at another union
    (``beside``), as somebody without any role, and as nobody. Who sits beside must not be given what is named by a
    number, nor be shown any of the texts ``hidden``; the other two get no page at all. ``rows`` are entries of
    registers by the register's name; any other argument of an address is given by its own name. Returns how many
    requests were made. Raises :class:`AssertionError` with the first page that gives way.
    """

    def check(
        year: ProgramYear, *, hidden: Iterable[str], rows: Mapping[str, int], beside: str = "610103", **ids: object
    ) -> int:
        stranger, nobody = make_user(None, beside), as_user(None, beside)
        for role in ROLES:
            hold(stranger, role, plant(beside))
        db.session.commit()
        asked = 0
        for address, method, named in _addresses(app, year, rows, ids):
            for browser, sits_beside in ((as_user(stranger), True), (nobody, False)):
                _refused_or_empty(browser, address, method, hidden, must=named or not sits_beside)
                asked += 1
            sent_away = app.test_client().open(address, method=method).status_code
            assert sent_away in (302, 401), f"{method} {address} answers {sent_away} to nobody"
            asked += 1
        return asked

    return check


def _refused_or_empty(browser: Browser, address: str, method: str, hidden: Iterable[str], *, must: bool) -> None:
    response = browser.open(address, method=method, data={} if method == "POST" else None)
    said = f"{method} {address} answers {response.status_code} to {browser.user and browser.user.username}"
    assert response.status_code < 500, said
    assert response.status_code in (403, 404) or not must, said
    shown = [text for text in hidden if text in response.get_data(as_text=True)]
    assert not shown, f"{said} and shows {shown}"


def _addresses(
    app: Flask, year: ProgramYear, rows: Mapping[str, int], ids: Mapping[str, object]
) -> Iterator[tuple[str, str, bool]]:
    """Every page with each method, and whether its address names something of a union by a number."""
    parts = dict(zip(PARTS, (year.year, sponsor_code(year), year.program), strict=True))
    registers = [one.name for one in registry_of(app).registers.values() if one.program == year.program]
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        if marks.is_public(app.view_functions[rule.endpoint]):
            continue
        for values in _values(rule, year.program, registers, rows, ids):
            for method in sorted((rule.methods or set()) - {"OPTIONS", "HEAD"}):
                known = {name: value for name, value in parts.items() if name in rule.arguments}
                yield (
                    adapter.build(rule.endpoint, known | values, method=method),
                    method,
                    bool(values.keys() - {"name"}),
                )


def _values(
    rule: Rule, program: str, registers: Iterable[str], rows: Mapping[str, int], ids: Mapping[str, object]
) -> Iterator[dict[str, object]]:
    """What stands for the arguments of a page of the program or of its registers; nothing for any other page."""
    rest = rule.arguments - set(PARTS)
    if (rule.defaults or {}).get("program") == program:
        missing = rest - ids.keys()
        assert not missing, f"say what stands for {', '.join(sorted(missing))} in {rule.rule}"
        yield {name: ids[name] for name in rest}
    elif rule.endpoint.startswith("registers."):
        for name in registers:
            assert name in rows, f"name an entry of the register {name} in rows"
            yield {"name": name, "row_id": rows[name]} if "row_id" in rest else {"name": name}
