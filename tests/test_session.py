"""Sessions, languages and errors, through the pages."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.test import TestResponse

from core import LARGEST_UPLOAD
from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.users.models import User
from core.users.passwords import verify_password
from core.users.services import reset_password, set_active
from core.users.testing import PASSWORD, AsUser, MakeUser

pytestmark = pytest.mark.services
SIGNED = {"password": PASSWORD}


def enter(client: FlaskClient, user: User, **data: str) -> str:
    response = client.post("/login", data={"username": user.username, "password": PASSWORD, **data})
    assert response.status_code == 302
    return response.headers["Location"]


def test_what_was_planted_in_the_session_before_login_is_gone(make_user: MakeUser, client: FlaskClient) -> None:
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
        session["csrf_token"] = "known to somebody else"
    enter(client, make_user("clerk"))
    with client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != "known to somebody else"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example",
        "\\/evil.example",
        "/\t/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "",
    ],
)
def test_login_leads_nowhere_else(make_user: MakeUser, client: FlaskClient, target: str) -> None:
    assert enter(client, make_user("clerk"), next=target) == "/"


def test_login_leads_back_to_the_page_asked_for(make_user: MakeUser, client: FlaskClient) -> None:
    asked = client.get("/account?tab=1")
    assert asked.headers["Location"] == "/login?next=/account?tab%3D1"
    assert enter(client, make_user("clerk"), next="/account?tab=1") == "/account?tab=1"


def test_an_expired_session_of_htmx_moves_the_whole_page(client: FlaskClient, app: Flask) -> None:
    response = client.get("/account", headers={"HX-Request": "true"})
    assert response.status_code == 401
    assert response.headers["HX-Redirect"] == "/login"


def test_a_user_who_was_closed_is_out_at_once_and_stays_out(as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("clerk")
    browser = as_user(user)
    set_active(SYSTEM, user, False)
    assert browser.get("/").status_code == 302
    again = browser.post("/login", data={"username": user.username, "password": PASSWORD})
    assert again.status_code == 401
    set_active(SYSTEM, user, True)
    assert browser.get("/").status_code == 302  # the old session does not come back


def test_a_new_password_ends_open_sessions(as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("clerk")
    browser = as_user(user)
    reset_password(SYSTEM, user)
    assert browser.get("/").status_code == 302


def test_changing_ones_own_password_keeps_this_session_and_ends_the_others(
    as_user: AsUser, make_user: MakeUser
) -> None:
    user = make_user("clerk")
    here, elsewhere = as_user(user), as_user(user)
    wrong = here.post("/account", data={"current": "no", "password": "another-pass-1"})
    assert wrong.status_code == 401
    assert 'id="current-errors"' in wrong.text
    right = here.post("/account", data={"current": PASSWORD, "password": "another-pass-1"})
    assert right.status_code == 302
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/").status_code == 302
    assert verify_password(user.password_hash, "another-pass-1")


def test_a_weak_hash_is_renewed_at_login(
    app: Flask, make_user: MakeUser, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = make_user("clerk")
    from_before = user.password_hash
    monkeypatch.setattr("core.users.login.needs_rehash", lambda _hash: True)
    enter(client, user)
    assert user.password_hash != from_before
    assert verify_password(user.password_hash, PASSWORD)


def test_a_damaged_hash_or_cookie_is_no_way_in(make_user: MakeUser, client: FlaskClient) -> None:
    assert not verify_password("not a hash", "anything")
    assert not verify_password(None, "anything")
    for identity in ("", "x", "1", "1:", ":", "99999:token", "٣:token"):
        with client.session_transaction() as session:
            session["session"] = identity
        assert client.get("/").status_code == 302


def test_a_change_without_the_token_is_refused_in_a_sentence(as_user: AsUser) -> None:
    browser = as_user("clerk")
    response = browser.post("/language", data={"language": "en"}, csrf=False)
    assert response.status_code == 400
    assert "页面已失效" in response.text or "The page was open too long" in response.text


def test_the_language_is_kept_with_the_user_and_before_login(as_user: AsUser, make_user: MakeUser, app: Flask) -> None:
    stranger = app.test_client()
    assert 'lang="zh-CN"' in stranger.get("/login").text
    stranger.post("/language", data={"language": "en", "next": "/login"})
    assert 'lang="en"' in stranger.get("/login").text
    user = make_user("clerk")
    browser = as_user(user)
    assert 'lang="zh-CN"' in browser.get("/").text
    assert browser.post("/language", data={"language": "en", "next": "/account"}).headers["Location"] == "/account"
    assert user.locale == "en"
    assert 'lang="en"' in browser.get("/").text
    assert 'lang="en"' in as_user(user).get("/").text


def test_an_unknown_language_changes_nothing(as_user: AsUser, make_user: MakeUser, client: FlaskClient) -> None:
    user = make_user("clerk")
    assert as_user(user).post("/language", data={"language": "xx"}).status_code == 400
    assert user.locale == "zh"
    assert client.post("/language", data={"language": "xx"}).status_code == 302
    assert 'lang="zh-CN"' in client.get("/login").text


def test_error_pages_are_sentences_with_a_reference(as_user: AsUser) -> None:
    browser = as_user("clerk")
    missing = browser.get("/no/such/page")
    assert missing.status_code == 404
    assert missing.headers["X-Request-ID"] in missing.text
    fragment = browser.get("/no/such/page", headers={"HX-Request": "true"})
    assert fragment.status_code == 404
    assert "<html" not in fragment.text
    refused = browser.get("/logout")
    assert refused.status_code == 405
    assert refused.headers["Allow"]
    assert "<html" in refused.text


def test_a_crash_shows_no_trace_and_needs_no_database(app: Flask, as_user: AsUser) -> None:
    browser = as_user("clerk")
    app.config["TESTING"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def crash() -> str:
        raise RuntimeError("secret detail")

    app.view_functions["home.index"] = crash
    response = browser.get("/")
    assert response.status_code == 500
    assert "secret detail" not in response.text
    assert response.headers["X-Request-ID"] in response.text


def test_what_is_too_large_is_refused_in_a_sentence(app: Flask, as_user: AsUser) -> None:
    browser = as_user("clerk")

    def announcing(size: int) -> TestResponse:
        """The answer to an upload that says it is so large; it is refused before it is read."""
        form = "multipart/form-data; boundary=b"
        length = {"CONTENT_LENGTH": str(size)}
        return browser.post("/language", data=b"--b--", content_type=form, environ_overrides=length)

    refused = announcing(LARGEST_UPLOAD + 1)
    assert refused.status_code == RequestEntityTooLarge.code
    assert "<html" in refused.text
    assert announcing(LARGEST_UPLOAD).status_code != RequestEntityTooLarge.code


def test_every_answer_carries_the_security_headers(client: FlaskClient, app: Flask) -> None:
    response = client.get("/login")
    policy = response.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Cache-Control"] == "no-store"
    address = re.search(r'href="(/static/app.css[^"]+)"', response.text)
    assert address
    with client.get(address[1]) as versioned, client.get("/static/app.css") as plain:
        assert "immutable" in versioned.headers["Cache-Control"]
        assert "immutable" not in plain.headers["Cache-Control"]


def test_users_are_managed_through_the_pages(as_user: AsUser, small_tree: dict[str, Org]) -> None:
    admin = as_user("admin", "6101")
    wrong = admin.post(
        "/admin/users/new", data={"username": "shen", "name": "沈一", "org_code": "6102", "role": "clerk", **SIGNED}
    )
    assert wrong.status_code == 400
    assert "6102" in wrong.text
    made = admin.post(
        "/admin/users/new", data={"username": "shen", "name": "沈一", "org_code": "6101", "role": "clerk", **SIGNED}
    )
    assert made.status_code == 302
    page = admin.get(made.headers["Location"])
    password = re.search(r"[a-z]{4}-[0-9]{4}-[a-z]{4}", page.text)
    assert password
    user = db.session.scalars(select(User).where(User.username == "shen")).one()
    assert verify_password(user.password_hash, password[0])
    assert "沈一" in admin.get("/admin/users/?text=沈").text
    assert "沈一" not in admin.get("/admin/users/?text=100%").text
    role = {"role": "leader", "org_code": "610102", "program": "", "password": PASSWORD}
    given = admin.post(f"/admin/users/{user.id}/grants", data=role)
    assert given.status_code == 302
    assert [grant.role for grant in user.grants] == ["clerk", "leader"]
    twice = admin.post(f"/admin/users/{user.id}/grants", data=role)
    assert twice.status_code == 409
    taken = admin.post(f"/admin/users/{user.id}/grants/{user.grants[0].id}/revoke")
    assert taken.status_code == 302
    assert [grant.role for grant in user.grants] == ["leader"]
    assert admin.post(f"/admin/users/{user.id}/active", data={"active": "0"}).status_code == 302
    assert user.active is False
    assert admin.post(f"/admin/users/{user.id}/password", data=SIGNED).status_code == 302


def test_a_user_of_another_city_looks_like_none(as_user: AsUser, make_user: MakeUser) -> None:
    other = make_user("clerk", "6102")
    admin = as_user("admin", "6101")
    assert admin.get(f"/admin/users/{other.id}").status_code == 404
    assert admin.post(f"/admin/users/{other.id}/password", data=SIGNED).status_code == 404
    assert other.username not in admin.get("/admin/users/").text


def test_a_refusal_and_a_wrong_token_are_in_the_log_with_the_user(
    as_user: AsUser, make_user: MakeUser, capfd: pytest.CaptureFixture[str]
) -> None:
    user = make_user("clerk")
    browser = as_user(user)
    capfd.readouterr()
    assert browser.get("/admin/users/").status_code == 403
    assert browser.post("/people/view", csrf=False).status_code == 400
    said = [line for line in capfd.readouterr().err.splitlines() if "event=refused" in line]
    assert [re.findall(r"(?:path|reason|status|user)=(\S+)", line) for line in said] == [
        ["403", "/admin/users/", "Forbidden", str(user.id)],
        ["400", "/people/view", "CSRFError", str(user.id)],
    ]
