"""Numbers guessed in addresses: what belongs to others answers as what does not exist, and nothing is changed."""

from typing import Any

import pytest
from sqlalchemy import text
from werkzeug.routing import Rule

from core.api import db
from core.users.testing import Browser
from tests.attacks.conftest import house_plugins
from tests.fuzzing.dice import encoded
from tests.fuzzing.house import PART, TABLES, House, Surface
from tests.matrix.asking import Answer, plain
from tests.matrix.world import MISSING, Watch

pytestmark = pytest.mark.timeout(600)
#: Who guesses: somebody with every role there is, in a city that has part in nothing of the others.
GUESSER = "6111"
#: These show something of the province's to everybody of its line, each as far as their own lines go.
SHARED = {"years", "approvals"}


@pytest.fixture
def plugins() -> dict[str, object]:
    """All that there are."""
    return house_plugins()


def numbers_of_others(house: House, name: str) -> list[int]:
    """Numbers of things of this kind that the guesser's city has no part in."""
    if name in TABLES:
        table = TABLES[name]
        columns = {row[0] for row in db.session.execute(_COLUMNS, {"name": table})}
        strange = _strange(columns)
        asked = text(f"SELECT id FROM {table} WHERE {strange} ORDER BY id DESC LIMIT 1")  # noqa: S608 - names of ours
        return list(db.session.scalars(asked, {"mine": f"/61/{GUESSER}/"} if ":mine" in strange else {}))
    own = house.number(name)
    return [own] if own != 1 else []


_COLUMNS = text("SELECT column_name FROM information_schema.columns WHERE table_name = :name")


def _strange(columns: set[str]) -> str:
    if "user_id" in columns:
        return "user_id IN (SELECT id FROM core_user WHERE NOT starts_with(org_path, :mine))"
    return "NOT starts_with(org_path, :mine)" if "org_path" in columns else "true"


def ask(browser: Browser, rule: Rule, method: str, path: str, sent: dict[str, Any]) -> Answer:
    """The answer, without what differs each time."""
    with browser.open(path, method=method, **(sent if method == "POST" else {})) as response:
        reference = response.headers["X-Request-ID"].encode()
        return Answer(response.status_code, plain(response.data).replace(reference, b""))


def test_what_is_of_others_looks_like_what_is_not_there(house: House) -> None:
    """Wants to find out by counting up the number of a run, a bank file, a statement, an entry, a user, a job, an
    export, an activity, a visit, an approval, a message or a session what others have, and to act on it.
    """
    whole = house.surface(house.enter(house.world.user("61")))
    browser, watch, asked, told = house.enter(house.world.user(GUESSER)), Watch(), set[str](), list[str]()
    for rule, method in house.rules():
        names = [match["name"] for match in PART.finditer(rule.rule) if match["name"].endswith("_id")]
        if not names or rule.endpoint.partition(".")[0] in SHARED:
            continue
        for number in numbers_of_others(house, names[-1]):
            theirs, nobodys = (house.path(rule, {names[-1]: one}) for one in (number, number + MISSING))
            sent = _sent(whole, rule)
            watch.begin()
            answers = [
                ask(browser, rule, method, path, sent).without(number, number + MISSING) for path in (theirs, nobodys)
            ]
            asked.add(rule.endpoint)
            if answers[0] != answers[1] or answers[0].status < 400:
                told.append(f"{method} {theirs} answers {answers[0].status}, {nobodys} {answers[1].status}")
            if changed := set(watch.changed()) - {"core_audit"}:
                told.append(f"{method} {theirs} changes {changed}")
    assert not told, "\n".join(told)
    assert {
        "runs.show",
        "runs.decide",
        "ledger.entry",
        "users_admin.show",
        "jobs.show",
        "exports.take",
        "files.download",
    } <= asked


def _sent(surface: Surface, rule: Rule) -> dict[str, Any]:
    pairs = [(box.name, box.value) for box in surface.boxes.get(rule.endpoint, ()) if box.value or box.needed]
    return {"data": encoded(pairs).encode(), "content_type": "application/x-www-form-urlencoded"}
