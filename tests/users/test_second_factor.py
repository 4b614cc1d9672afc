"""The second factor: who must have one, what is taken as a code, and what happens when it is lost."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.config import EXTENSION, settings_of
from core.errors import Forbidden, Refused
from core.extensions import db
from core.people.secrets import decrypt, encrypt
from core.tasks.models import Message
from core.users.models import SecondFactor, User
from core.users.roles import PERMISSIONS, ROLES
from core.users.second_factor import MONEY, RECOVERY_CODES, STEP, WrongCode, check_code, factor_of, is_required
from core.users.services import reset_second_factor
from core.users.testing import PASSWORD, SECRET, AsUser, MakeUser, code_of, enrol
from core.users.throttle import PER_ACCOUNT, TooManyFailures
from core.wall import beyond_scope

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
NOW = datetime(2014, 1, 8, 1, 0, tzinfo=UTC)  # the first second of a step
OFFICE = "192.0.2.7"
CODE = re.compile(r"<li[^>]*>([a-z0-9-]{29})</li>")


def shown(seconds: float) -> str:
    """The code of the app so many seconds after the present moment of these tests."""
    return pyotp.TOTP(SECRET).at(NOW + timedelta(seconds=seconds))


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    user = make_user("finance")
    enrol(user)
    return user


def test_it_is_owed_by_whoever_moves_money_or_manages_users(make_user: MakeUser) -> None:
    owing = {role for item in PERMISSIONS if item.code in MONEY for role in item.roles}
    assert owing == {"admin", "reviewer", "finance"}
    assert {role for role in ROLES if is_required(make_user(role))} == owing
    assert not is_required(make_user(None))
    assert is_required(make_user("finance", "610102", until=None))


def test_a_role_that_ended_owes_nothing(make_user: MakeUser) -> None:
    user = make_user("finance")
    user.grants[0].until = datetime.now(UTC).date() - timedelta(days=2)
    assert not is_required(user)


@pytest.mark.parametrize(("seconds", "fits"), [(-31, False), (-30, True), (0, True), (59, True), (60, False)])
def test_a_code_is_taken_one_step_early_or_late(finance: User, seconds: int, fits: bool) -> None:
    if fits:
        check_code(finance, shown(seconds), OFFICE, now=NOW)
    else:
        with pytest.raises(WrongCode) as refused:
            check_code(finance, shown(seconds), OFFICE, now=NOW)
        assert refused.value.field == "code"


def test_a_code_is_taken_once_and_none_before_it(finance: User) -> None:
    check_code(finance, shown(0), OFFICE, now=NOW)
    for used in (shown(0), shown(-STEP)):
        with pytest.raises(WrongCode):
            check_code(finance, used, OFFICE, now=NOW)
    check_code(finance, f" {shown(STEP)[:3]} {shown(STEP)[3:]}", OFFICE, now=NOW)


def test_a_code_is_taken_once_by_requests_at_the_same_moment(app: Flask, finance: User) -> None:
    user_id = finance.id
    db.session.commit()

    def attempt(_number: int) -> bool:
        with app.app_context(), beyond_scope("a test"):
            try:
                check_code(db.session.get_one(User, user_id), shown(0), OFFICE, now=NOW)
            except Refused:
                return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(attempt, range(4))) == 1


@pytest.mark.parametrize("code", ["", "0", "12345", "1234567", "abcdef", "٣٣٣٣٣٣", "-" * 29])
def test_what_is_no_code_is_refused(finance: User, code: str) -> None:
    with pytest.raises(WrongCode):
        check_code(finance, code, OFFICE, now=NOW)


def test_guessing_at_codes_is_stopped(finance: User) -> None:
    for number in range(PER_ACCOUNT):
        with pytest.raises(WrongCode):
            check_code(finance, f"x{number}", OFFICE, now=NOW)
    with pytest.raises(TooManyFailures) as refused:
        check_code(finance, shown(0), OFFICE, now=NOW)
    assert refused.value.field == "code"


def test_no_page_opens_before_it_is_enrolled(make_user: MakeUser, client: FlaskClient) -> None:
    user = make_user("reviewer")
    client.post("/login", data={"username": user.username, "password": PASSWORD})
    for address in ("/", "/people", "/admin/users/"):
        assert client.get(address).location == "/account/second-factor"
    assert client.post("/account/mail", data={"mailing": "none"}).location == "/account/second-factor"
    page = client.get("/account/second-factor").text
    secret = re.search(r"text-break\">([A-Z2-7 ]+)<", page)
    assert secret
    assert "data:image/svg+xml" in page
    wrong = client.post("/account/second-factor", data={"code": "000000"})
    assert (wrong.status_code, 'id="code-errors"' in wrong.text) == (400, True)
    assert secret[0] in wrong.text  # the same secret, so that the app need not scan again
    app_shows = pyotp.TOTP(secret[1].replace(" ", ""))
    done = client.post("/account/second-factor", data={"code": app_shows.now()})
    assert len(CODE.findall(done.text)) == RECOVERY_CODES
    assert client.get("/people").status_code == 200
    factor = db.session.scalars(select(SecondFactor)).one()
    assert decrypt("totp", factor.secret) == app_shows.secret
    assert app_shows.secret.encode() not in factor.secret


def test_enrolling_ends_other_sessions_and_gives_another_token(make_user: MakeUser, app: Flask) -> None:
    user, browsers = make_user("clerk"), [app.test_client() for _index in range(2)]
    for browser in browsers:
        browser.post("/login", data={"username": user.username, "password": PASSWORD})
    with browsers[0].session_transaction() as session:
        before = session["session"]
    secret = re.search(r"text-break\">([A-Z2-7 ]+)<", browsers[0].get("/account/second-factor").text)
    assert secret
    code = pyotp.TOTP(secret[1].replace(" ", "")).now()
    assert browsers[0].post("/account/second-factor", data={"code": code}).status_code == 200
    with browsers[0].session_transaction() as session:
        assert session["session"] != before
    assert [browser.get("/").status_code for browser in browsers] == [200, 302]
    twice = browsers[0].post("/account/second-factor", data={"code": code})
    assert twice.status_code == 409


def test_a_recovery_code_lets_in_once(as_user: AsUser, make_user: MakeUser, app: Flask) -> None:
    user = make_user("finance")
    browser = as_user(user)
    made = browser.post("/account/second-factor/codes", data={"password": PASSWORD})
    codes = CODE.findall(made.text)
    assert len(set(codes)) == RECOVERY_CODES
    assert not [code for code in codes if code in str(factor_of(user).__dict__)]

    def enter(code: str) -> int:
        fresh = app.test_client()
        fresh.post("/login", data={"username": user.username, "password": PASSWORD})
        return fresh.post("/login/code", data={"code": code}).status_code

    assert [enter(codes[0]), enter(codes[0]), enter(codes[1].upper())] == [302, 401, 302]
    assert f"{RECOVERY_CODES - 2}" in browser.get("/account").text
    assert "user.recovery_code_used" in db.session.scalars(select(AuditLine.action)).all()
    browser.post("/account/second-factor/codes", data={"password": PASSWORD})
    assert enter(codes[2]) == 401


@pytest.mark.parametrize("what", ["codes", "remove"])
def test_changing_it_asks_for_password_and_code(as_user: AsUser, make_user: MakeUser, what: str) -> None:
    user = make_user("finance")
    browser = as_user(user)
    for wrong, field in (
        ({"password": "no"}, "password"),
        ({"password": PASSWORD, "code": "000000"}, "code"),
        ({"password": PASSWORD, "code": ""}, "code"),
    ):
        answer = browser.post(f"/account/second-factor/{what}", data=wrong)
        assert (answer.status_code, f'id="{field}-errors"' in answer.text) == (401, True)
    assert browser.post(f"/account/second-factor/{what}", data={"code": "1"}).status_code == 400
    assert db.session.scalars(select(SecondFactor.codes)).all() == [[]]


def test_who_removes_it_and_owes_one_is_led_to_the_next(as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("finance")
    here, elsewhere = as_user(user), as_user(user)
    assert here.post("/account/second-factor/remove", data={"password": PASSWORD}).status_code == 302
    assert here.get("/").location == "/account/second-factor"
    assert elsewhere.get("/").location.startswith("/login")
    assert here.post("/account/second-factor/remove", data={"password": PASSWORD}).location == "/account/second-factor"


def test_an_administrator_removes_that_of_somebody_else(as_user: AsUser, make_user: MakeUser) -> None:
    user, admin = make_user("finance", "6101"), make_user("admin")
    lost, browser = as_user(user), as_user(admin)
    address = f"/admin/users/{user.id}/second-factor"
    wrong = browser.post(address, data={"password": "no"})
    assert (wrong.status_code, 'id="own-password-errors"' in wrong.text) == (401, True)
    assert as_user("admin", "6102").post(address, data={"password": PASSWORD}).status_code == 404
    assert factor_of(user) is not None
    assert browser.post(address, data={"password": PASSWORD}).status_code == 302
    db.session.expire_all()
    assert factor_of(user) is None
    assert lost.get("/").location.startswith("/login")
    assert db.session.scalars(select(Message.kind).where(Message.user_id == user.id)).all() == ["users.factor_reset"]
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "user.reset_second_factor")).all()
    assert [(line.user_id, line.object) for line in lines] == [(admin.id, f"user:{user.id}")]
    assert browser.post(address, data={"password": PASSWORD}).status_code == 409


def test_nobody_resets_their_own(as_user: AsUser, make_user: MakeUser) -> None:
    admin = make_user("admin")
    enrol(admin)
    with pytest.raises(Forbidden):
        reset_second_factor(admin, admin)
    assert as_user(admin).post(f"/admin/users/{admin.id}/second-factor", data={"password": PASSWORD}).status_code == 403
    assert factor_of(admin) is not None


def test_an_installation_may_do_without(app: Flask, make_user: MakeUser, client: FlaskClient) -> None:
    app.extensions[EXTENSION] = replace(settings_of(), second_factor=False)
    user = make_user("admin")
    row = {"secret": encrypt("totp", SECRET), "last_step": 0, "codes": []}
    db.session.add(SecondFactor(user_id=user.id, **row))
    db.session.commit()
    assert client.post("/login", data={"username": user.username, "password": PASSWORD}).location == "/"
    assert client.get("/people").status_code == 200
    assert "second-factor" not in client.get("/account").text
    assert 'name="code"' not in client.get("/admin/users/new").text


def test_a_secret_that_was_moved_to_another_user_still_needs_their_password(finance: User, client: FlaskClient) -> None:
    answer = client.post("/login/code", data={"code": code_of(finance)})
    assert answer.location.startswith("/login")
    assert client.get("/").status_code == 302


def test_removing_one_that_is_not_there_is_refused(make_user: MakeUser) -> None:
    with pytest.raises(Refused, match="no second factor"):
        reset_second_factor(SYSTEM, make_user("clerk"))
