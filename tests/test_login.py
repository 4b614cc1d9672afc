from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.extensions import db
from core.users.login import THROTTLE, TooManyFailures, WrongLogin, log_in
from core.users.models import LoginFailure
from core.users.testing import PASSWORD, AsUser, MakeUser

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
    assert wrong.text.replace(user.username, "").count("alert-danger") == unknown.text.count("alert-danger") == 1


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
