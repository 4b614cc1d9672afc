from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core import create_app
from core.config import Settings, load_settings
from core.errors import ConfigError
from core.extensions import db
from core.users.login import THROTTLE, TooManyFailures, WrongLogin, log_in
from core.users.models import LoginFailure
from core.users.testing import PASSWORD, AsUser, Browser, MakeUser

pytestmark = pytest.mark.services
NOW = datetime(2014, 1, 8, 1, 0, tzinfo=UTC)
OFFICE = "192.0.2.7"


def fail(username: str, times: int, address: str = OFFICE, now: datetime = NOW) -> None:
    for _index in range(times):
        with pytest.raises(WrongLogin):
            log_in(username, "wrong", address, now=now)


def test_a_wrong_password_and_an_unknown_name_get_the_same_answer(make_user: MakeUser, client: FlaskClient) -> None:
    user = make_user("clerk")
    wrong = client.post("/login", data={"username": user.username, "password": "nonsense"})
    unknown = client.post("/login", data={"username": "nobody-here", "password": "nonsense"})
    assert wrong.status_code == unknown.status_code == 401
    assert "The user name or the password is wrong." in wrong.text or "用户名或密码" in wrong.text
    assert wrong.text.count("alert-danger") == unknown.text.count("alert-danger") == 1


def test_the_sixth_try_waits_even_with_the_right_password(make_user: MakeUser) -> None:
    user = make_user("clerk")
    fail(user.username, THROTTLE.per_name)
    with pytest.raises(TooManyFailures, match="15"):
        log_in(user.username, PASSWORD, OFFICE, now=NOW)
    just_before = NOW + THROTTLE.window - timedelta(seconds=1)
    with pytest.raises(TooManyFailures, match="1"):
        log_in(user.username, PASSWORD, OFFICE, now=just_before)
    assert log_in(user.username, PASSWORD, OFFICE, now=NOW + THROTTLE.window).id == user.id


def test_the_fifth_try_may_still_succeed_and_clears_the_count(make_user: MakeUser) -> None:
    user = make_user("clerk")
    fail(user.username, THROTTLE.per_name - 1)
    log_in(user.username, PASSWORD, OFFICE, now=NOW)
    assert db.session.scalars(select(LoginFailure)).all() == []


def test_names_that_nobody_has_are_counted_too(app: Flask) -> None:
    fail("ghost", THROTTLE.per_name)
    with pytest.raises(TooManyFailures):
        log_in(" Ghost ", "wrong", OFFICE, now=NOW)


def test_an_address_that_tries_many_names_is_stopped(make_user: MakeUser) -> None:
    user = make_user("clerk")
    for number in range(THROTTLE.per_address):
        fail(f"guess{number}", 1)
    with pytest.raises(TooManyFailures):
        log_in(user.username, PASSWORD, OFFICE, now=NOW)
    assert log_in(user.username, PASSWORD, "192.0.2.8", now=NOW).id == user.id


def test_throttled_page_says_how_long(make_user: MakeUser, client: FlaskClient) -> None:
    user = make_user("clerk")
    for _index in range(5):
        assert client.post("/login", data={"username": user.username, "password": "bad"}).status_code == 401
    sixth = client.post("/login", data={"username": user.username, "password": PASSWORD})
    assert sixth.status_code == 429
    assert "15" in sixth.text


def address_noted(settings: Settings, proxies: int) -> str:
    """The address that a failed login is counted for, when somebody claims to come from another one."""
    app = create_app(replace(settings, proxies=proxies))
    app.test_client_class = Browser
    with app.app_context():
        forwarded = {"X-Forwarded-For": "203.0.113.9, 198.51.100.4"}
        app.test_client().post("/login", data={"username": "ghost", "password": "bad"}, headers=forwarded)
        noted = db.session.scalars(select(LoginFailure.address).order_by(LoginFailure.id.desc())).first()
        db.session.remove()
        db.engine.dispose()
    assert noted
    return noted


def test_only_a_proxy_that_is_ours_is_believed(settings: Settings) -> None:
    assert address_noted(settings, 0) == "127.0.0.1"
    assert address_noted(settings, 1) == "198.51.100.4"
    assert address_noted(settings, 2) == "203.0.113.9"


@pytest.mark.parametrize("value", ["-1", "4", "yes", "1.0"])
def test_a_wrong_number_of_proxies_is_one_sentence(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="ZHIJIA_PROXIES"):
        load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_PROXIES": value})


def test_tries_at_the_same_moment_do_not_slip_past_the_count(app: Flask, make_user: MakeUser) -> None:
    username = make_user("clerk").username

    def attempt(number: int) -> type[Exception] | None:
        with app.app_context():
            try:
                log_in(username, f"guess{number}", f"192.0.2.{number}", now=NOW)
            except (WrongLogin, TooManyFailures) as error:
                return type(error)
        return None

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(12)))
    assert answers.count(WrongLogin) == THROTTLE.per_name
    assert answers.count(TooManyFailures) == 12 - THROTTLE.per_name


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
