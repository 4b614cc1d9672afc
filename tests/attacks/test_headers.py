"""What every answer says to the browser, whatever it answers: pages, errors, redirects, downloads, static files."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask, abort
from flask.testing import FlaskClient

from core import create_app
from core.config import Settings
from core.extensions import db
from core.users.testing import PASSWORD, AsUser, Browser, MakeUser
from core.web.guard import public

pytestmark = pytest.mark.services
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
PATHS = ("/", "/account", "/login", "/no/such/page", "/logout", "/people", "/health", "/ready", "/static/app.css")
#: Whatever Werkzeug, a limit or a view may answer with.
ERRORS = (400, 401, 403, 404, 405, 408, 409, 413, 414, 415, 416, 422, 429, 431, 500, 501, 503, 504)


def test_every_answer_has_them(as_user: AsUser) -> None:
    """Wants to frame a page, to have its type guessed, or to let a script of theirs run in it."""
    browser = as_user("clerk")
    for path in PATHS:
        answer = browser.get(path)
        for name, value in ALWAYS.items():
            assert answer.headers[name] == value, path
        assert "camera=()" in answer.headers["Permissions-Policy"]
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'n")
        assert "unsafe" not in policy
        assert "*" not in policy
        if not path.startswith("/static/"):
            assert answer.headers["Cache-Control"] == "no-store", path
            assert "Cookie" in answer.headers["Vary"], path
        answer.close()


def test_a_nonce_is_used_once(client: FlaskClient) -> None:
    """Wants a script of theirs to run by repeating a nonce that a page had before."""
    nonces = set()
    for path in ("/login", "/login", "/no/such/page", "/login?next=/x"):
        answer = client.get(path)
        [nonce] = re.findall(r"script-src 'nonce-([\w-]+)'", answer.headers["Content-Security-Policy"])
        assert set(re.findall(r'<script nonce="([^"]*)"', answer.text)) == {nonce}
        assert answer.text.count("<script ") == answer.text.count(f'<script nonce="{nonce}"')
        nonces.add(nonce)
    assert len(nonces) == 4


@pytest.fixture
def secure(settings: Settings) -> Iterator[Flask]:
    """The application as behind a proxy that speaks TLS."""
    app = create_app(replace(settings, secure_cookies=True, proxies=1))
    app.test_client_class = Browser
    yield app
    with app.app_context():
        db.engine.dispose()


def test_the_cookie_is_of_this_host_alone_and_out_of_reach_of_scripts(
    app: Flask, secure: Flask, make_user: MakeUser
) -> None:
    """Wants the cookie: by a script, over plain HTTP, or from another name below the same domain."""
    data = {"username": make_user("clerk").username, "password": PASSWORD}
    answer = app.test_client().post("/login", data=data)
    assert answer.status_code == 302, answer.text
    plain = answer.headers["Set-Cookie"]
    assert plain.startswith("session=")
    secure.config["WTF_CSRF_ENABLED"] = False  # its token would come with a cookie that this client keeps from us
    entered = secure.test_client().post("/login", data=data, headers={"X-Forwarded-Proto": "https"})
    assert entered.status_code == 302, entered.text
    cookie = entered.headers["Set-Cookie"]
    assert cookie.startswith("__Host-session=")
    for part in ("; Secure", "; HttpOnly", "; Path=/", "; SameSite=Lax"):
        assert part in cookie
    assert "Domain" not in cookie
    assert "HttpOnly" in plain


def test_tls_is_asked_for_where_it_is_spoken(secure: Flask, client: FlaskClient) -> None:
    """Wants the visitor back on plain HTTP, to read along."""
    there = secure.test_client().get("/health", headers={"X-Forwarded-Proto": "https"})
    assert there.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
    assert "Strict-Transport-Security" not in client.get("/health").headers


def test_logging_out_clears_what_the_browser_kept(as_user: AsUser) -> None:
    """Wants the last page of whoever sat at this desk before, from the browser's cache after the logout."""
    browser = as_user("clerk")
    assert "Clear-Site-Data" not in browser.get("/account").headers
    left = browser.post("/logout")
    assert left.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert "Cookie" in left.headers["Vary"]
    assert browser.get("/account").headers["Location"].startswith("/login")


@pytest.mark.parametrize("status", ERRORS)
def test_every_error_is_a_page_of_the_house_that_tells_nothing(app: Flask, client: FlaskClient, status: int) -> None:
    """Wants to learn from error pages what runs behind them."""
    app.view_functions["ready.health"] = public(lambda: abort(status))
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get("/health", headers=headers)
        assert answer.status_code == status
        assert answer.headers["X-Request-ID"] in answer.text
        assert answer.mimetype == "text/html"
        assert ("<html" in answer.text) is not bool(headers)
        for told in ("Traceback", "Werkzeug", "werkzeug", "Flask", "Python/", "gunicorn", "psycopg"):
            assert told not in answer.text + str(answer.headers)
