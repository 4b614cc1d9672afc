import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from core import create_app
from core.audit.services import SYSTEM
from core.config import Settings, load_settings
from core.errors import ConfigError
from core.extensions import db
from core.users.login import WrongLogin, log_in
from core.users.passwords import verify_password
from core.users.services import set_active
from core.users.testing import PASSWORD, AsUser, Browser, MakeUser
from core.users.throttle import EXTENSION, MINUTES, PER_ACCOUNT, PER_ADDRESS, Throttle, TooManyFailures, tries_left
from core.wall import beyond_scope

pytestmark = pytest.mark.services
OFFICE = "192.0.2.7"
WINDOW = MINUTES * 60


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[float], None]]:
    """``clock(seconds)`` puts the clock of the counts so far ahead."""
    began = time.time()
    yield lambda seconds: monkeypatch.setattr("time.time", lambda: began + seconds)
    monkeypatch.undo()


def fail(username: str, times: int, address: str = OFFICE) -> None:
    for _index in range(times):
        with pytest.raises(WrongLogin):
            log_in(username, "wrong", address)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(make_user: MakeUser, client: FlaskClient) -> None:
    user = make_user("clerk")
    wrong = client.post("/login", data={"username": user.username, "password": "nonsense"})
    unknown = client.post("/login", data={"username": "nobody-here", "password": "nonsense"})
    assert wrong.status_code == unknown.status_code == 401
    assert "The user name or the password is wrong." in wrong.text or "用户名或密码" in wrong.text
    assert wrong.text.count("alert-danger") == unknown.text.count("alert-danger") == 1


def test_the_sixth_try_waits_even_with_the_right_password(make_user: MakeUser, clock: Callable[[float], None]) -> None:
    user = make_user("clerk")
    clock(0)
    fail(user.username, PER_ACCOUNT)
    with pytest.raises(TooManyFailures, match="15"):
        log_in(user.username, PASSWORD, OFFICE)
    clock(WINDOW - 1)
    with pytest.raises(TooManyFailures, match="in 1 min"):
        log_in(user.username, PASSWORD, OFFICE)
    clock(WINDOW + 1)
    assert log_in(user.username, PASSWORD, OFFICE).user.id == user.id


def test_the_window_moves(make_user: MakeUser, clock: Callable[[float], None]) -> None:
    user = make_user("clerk")
    clock(0)
    fail(user.username, 1)
    clock(WINDOW / 2)
    fail(user.username, PER_ACCOUNT - 1)
    clock(WINDOW + 1)  # only the first is forgotten
    fail(user.username, 1)
    with pytest.raises(TooManyFailures):
        log_in(user.username, PASSWORD, OFFICE)


def test_the_fifth_try_may_still_succeed_and_clears_the_count(make_user: MakeUser) -> None:
    user = make_user("clerk")
    fail(user.username, PER_ACCOUNT - 1)
    log_in(user.username, PASSWORD, OFFICE)
    assert tries_left("password", user.username) == PER_ACCOUNT


def test_names_that_nobody_has_are_counted_too(app: Flask) -> None:
    fail("ghost", PER_ACCOUNT)
    with pytest.raises(TooManyFailures):
        log_in(" Ghost ", "wrong", OFFICE)


def test_a_name_that_nobody_has_costs_one_hash_as_any_other(
    make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str | None] = []

    def verify(password_hash: str | None, password: str) -> bool:
        asked.append(password_hash)
        return verify_password(password_hash, password)

    monkeypatch.setattr("core.users.login.verify_password", verify)
    user, closed = make_user("clerk"), make_user("clerk")
    set_active(SYSTEM, closed, False)
    for username in (user.username, closed.username, "ghost"):
        fail(username, 1)
    assert asked == [user.password_hash, closed.password_hash, None]


def test_an_address_that_tries_many_names_is_stopped(make_user: MakeUser) -> None:
    user = make_user("clerk")
    for number in range(PER_ADDRESS):
        fail(f"guess{number}", 1)
    with pytest.raises(TooManyFailures):
        log_in(user.username, PASSWORD, OFFICE)
    assert log_in(user.username, PASSWORD, "192.0.2.8").user.id == user.id


def test_redis_holds_no_name_and_no_address(make_user: MakeUser, app: Flask) -> None:
    user = make_user("clerk")
    fail(user.username, 1)
    held = Redis.from_url(app.config["ZHIJIA_REDIS_URL"]).keys()
    assert len([key for key in held if b"zhijia-a" in key]) == 2
    assert not [key for key in held if user.username.encode() in key or OFFICE.encode() in key]


def test_without_redis_each_process_counts_for_itself(make_user: MakeUser, app: Flask) -> None:
    app.extensions[EXTENSION] = Throttle("redis://127.0.0.1:1/0")
    user = make_user("clerk")
    assert log_in(user.username, PASSWORD, OFFICE).user.id == user.id
    fail(user.username, PER_ACCOUNT)
    with pytest.raises(TooManyFailures):
        log_in(user.username, PASSWORD, OFFICE)


def test_throttled_page_says_how_long(make_user: MakeUser, client: FlaskClient) -> None:
    user = make_user("clerk")
    for _index in range(5):
        assert client.post("/login", data={"username": user.username, "password": "bad"}).status_code == 401
    sixth = client.post("/login", data={"username": user.username, "password": PASSWORD})
    assert sixth.status_code == 429
    assert "15" in sixth.text


def address_noted(settings: Settings, proxies: int, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address that a failed login is counted for, when somebody claims to come from another one."""
    noted: list[str] = []
    monkeypatch.setattr("core.users.login.note_failure", noted.append)
    app = create_app(replace(settings, proxies=proxies))
    app.test_client_class = Browser
    with app.app_context(), beyond_scope("a test"):
        forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.4"}
        app.test_client().post("/login", data={"username": "ghost", "password": "bad"}, headers=forwarded)
        db.session.remove()
        db.engine.dispose()
    return noted[0]


def test_only_a_proxy_that_is_ours_is_believed(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert address_noted(settings, 0, monkeypatch) == "127.0.0.1"
    assert address_noted(settings, 1, monkeypatch) == "198.51.100.4"
    assert address_noted(settings, 2, monkeypatch) == "203.0.113.9"


@pytest.mark.parametrize("value", ["-1", "4", "yes", "1.0"])
def test_a_wrong_number_of_proxies_is_one_sentence(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="ZHIJIA_PROXIES"):
        load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_PROXIES": value})


def test_tries_at_the_same_moment_do_not_slip_past_the_count(app: Flask, make_user: MakeUser) -> None:
    username = make_user("clerk").username

    def attempt(number: int) -> type[Exception] | None:
        with app.app_context(), beyond_scope("a test"):
            try:
                log_in(username, f"guess{number}", f"192.0.2.{number}")
            except (WrongLogin, TooManyFailures) as error:
                return type(error)
        return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(12)))
    assert answers.count(WrongLogin) == PER_ACCOUNT
    assert answers.count(TooManyFailures) == 12 - PER_ACCOUNT


def test_login_opens_the_home_page_and_logout_closes_it(as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert browser.get("/").status_code == 200
    assert browser.post("/logout").status_code == 302
    assert browser.get("/").headers["Location"].startswith("/login")


def test_logout_by_a_link_is_refused(as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert browser.get("/logout").status_code == 405
    assert browser.get("/").status_code == 200


def test_two_browsers_are_two_people(as_user: AsUser) -> None:
    clerk, reviewer = as_user("clerk"), as_user("reviewer")
    assert "测试clerk" in clerk.get("/").text
    assert "测试reviewer" in reviewer.get("/").text
    assert "测试clerk" in clerk.get("/").text
