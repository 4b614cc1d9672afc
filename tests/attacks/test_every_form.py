"""Every page that changes something, from the URL map: without the token, by another method, with boxes it never
had.
"""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.routing import Rule

from core.api import db
from core.users.testing import Browser
from tests.attacks.conftest import house_plugins
from tests.fuzzing.dice import encoded
from tests.fuzzing.house import House, Surface
from tests.matrix.world import Watch, tables

pytestmark = pytest.mark.timeout(600)
#: A number and a word that nothing in the house holds by itself.
PLANTED, WORD = "987654321", "zq-planted"
#: What somebody might add to a form: fields of our tables that no form of ours has.
ADDED = {
    **dict.fromkeys(
        (
            "id",
            "org_id",
            "user_id",
            "created_by",
            "submitted_by",
            "approved_by",
            "posted_by",
            "person_id",
            "payee_id",
            "run_id",
            "amount_fen",
            "total_fen",
            "attempt",
            "program_year_id",
            "merged_into_id",
            "settings_version",
            "entry_id",
            "version",
        ),
        PLANTED,
    ),
    **dict.fromkeys(("org_path", "state", "digest", "sponsor_code", "password_hash", "created_at", "at_level"), WORD),
    "active": "y",
    "is_admin": "y",
}
#: Here a box of this name is the form's own, or the value may be kept as the text that it is.
OWN = {"person_id", "payee_id", "id"}


@pytest.fixture
def plugins() -> dict[str, object]:
    """All that there are."""
    return house_plugins()


@pytest.fixture
def surface(house: House) -> Surface:
    """The forms of the house as who may everything sees them."""
    return house.surface(house.enter(house.world.user("61")))


def changing(house: House, but: str = "users.leave") -> Iterator[Rule]:
    """Every rule that takes a POST."""
    return (rule for rule, method in house.rules() if method == "POST" and rule.endpoint != but)


def sound(surface: Surface, rule: Rule, **more: str) -> dict[str, object]:
    """What a browser sends for the form of this rule, as its page shows it."""
    boxes = [(box.name, box.value) for box in surface.boxes.get(rule.endpoint, ()) if box.value or box.needed]
    pairs = [*boxes, *((name, value) for name, value in more.items() if name not in dict(boxes))]
    return {"data": encoded(pairs).encode(), "content_type": "application/x-www-form-urlencoded"}


def test_without_the_token_of_the_page_nothing_is_changed(house: House, surface: Surface) -> None:
    """Wants a clerk's browser to send a form from another site: on every address that takes one, with no token, with
    one of the attacker's own session, and with one in a cookie."""
    victim, own = house.enter(house.world.user("61")), house.enter(house.world.user("610102", ()))
    foreign = own.csrf_token()
    victim.set_cookie("csrf_token", foreign)
    victim.set_cookie("X-CSRFToken", foreign)
    watch = Watch()
    for rule in changing(house, but=""):
        path = surface.paths[rule.endpoint][0]
        for headers in ({}, {"X-CSRFToken": foreign}, {"X-CSRFToken": ""}, {"X-Requested-With": "XMLHttpRequest"}):
            watch.begin()
            sent = sound(surface, rule)
            answer = victim.open(path, method="POST", csrf=False, headers=headers, **sent)
            assert (answer.status_code, watch.changed()) == (400, []), f"{rule} {headers}"
    assert victim.get("/account").status_code == 200


def test_no_other_method_reaches_what_a_form_does(house: House, surface: Surface, client: FlaskClient) -> None:
    """Wants a form to be sent by a link, an image or a header: GET, HEAD and OPTIONS with the names of another
    method.
    """
    browser, watch = house.enter(house.world.user("61")), Watch()
    overriding = {"X-HTTP-Method-Override": "POST", "X-HTTP-Method": "POST", "X-Method-Override": "POST"}
    for rule in changing(house, but=""):
        path = surface.paths[rule.endpoint][0]
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "TRACE"):
            watch.begin()
            query = encoded(
                [("_method", "POST"), *((box.name, box.value) for box in surface.boxes.get(rule.endpoint, ()))]
            )
            answer = browser.open(f"{path}?{query}", method=method, headers=overriding)
            assert answer.status_code < 500, f"{method} {rule}"
            assert set(watch.changed()) <= {"core_audit"}, f"{method} {rule}"
            answer.close()
    assert client.open("/people", method="HEAD").data == b""
    assert [client.open("/people", method=method).status_code for method in ("OPTIONS", "TRACE")] == [302, 405]


def test_the_head_of_a_page_tells_no_more_than_the_page(house: House, surface: Surface) -> None:
    """Wants to learn by HEAD or OPTIONS whether something is there that a page denies."""
    browser = house.enter(house.world.user("610102"))
    for rule, method in house.rules():
        if method != "GET" or rule.endpoint == "static":
            continue
        for path in surface.paths[rule.endpoint][:2]:
            whole, head = browser.get(path), browser.open(path, method="HEAD")
            assert head.data == b"", rule
            assert head.status_code == whole.status_code, rule
            whole.close()
            asked = browser.open(path, method="OPTIONS")
            assert asked.data == b"" or asked.status_code == whole.status_code >= 300, rule


def found(word: str) -> set[str]:
    """The tables in which some row holds this."""
    one = "SELECT '{0}' FROM {0} t WHERE t::text LIKE :planted"
    names = set()
    for name in tables():
        if db.session.execute(text(one.format(name) + " LIMIT 1"), {"planted": f"%{word}%"}).first():
            names.add(name)
    db.session.rollback()
    return names


def test_boxes_that_a_form_does_not_have_change_nothing(house: House, surface: Surface) -> None:
    """Wants to set the union, the state, the sum, the maker or the number of a record along with a form that is
    theirs to send: every form, with each of these names added in the body and in the address.
    """
    browser, watch = house.enter(house.world.user("61")), Watch()
    for rule in changing(house):
        if rule.endpoint.startswith(("users.", "second_factor.")) and browser.get("/account").status_code != 200:
            browser = house.enter(house.world.user("61", who="again"))
        added = {name: value for name, value in ADDED.items() if name not in _own(surface, rule)}
        path = surface.paths[rule.endpoint][0]
        watch.begin()
        sent = sound(surface, rule, **added)
        answer = _post(browser, f"{path}?{encoded(list(added.items()))}", sent)
        assert answer < 500, f"{rule} {answer}"
        if watch.changed():
            assert found(PLANTED) | found(WORD) == set(), rule


def _own(surface: Surface, rule: Rule) -> set[str]:
    names = {box.name for box in surface.boxes.get(rule.endpoint, ())}
    return names | (OWN if rule.endpoint.startswith(("runs.object", "four_seasons", "people.")) else set())


def _post(browser: Browser, url: str, sent: dict[str, object]) -> int:
    with browser.open(url, method="POST", **sent) as answer:  # type: ignore[arg-type]
        return answer.status_code
