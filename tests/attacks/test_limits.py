"""Requests that are too large, too long or too slow: refused in a sentence, and nothing half done."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from core import create_app
from core.config import Settings, load_settings
from core.errors import ConfigError
from core.extensions import db
from core.org.models import Org
from core.users.testing import AsUser, Browser
from core.wall import beyond_scope
from core.web.guard import public
from core.web.limits import LARGEST_FORM, LONGEST_QUERY, MOST_ARGUMENTS, MOST_PARTS, SlowBodies, time_limits

pytestmark = pytest.mark.services


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("q=" + "a" * (LONGEST_QUERY - 2), 200),
        ("q=" + "a" * (LONGEST_QUERY - 1), 414),
        ("&".join(["a=1"] * MOST_ARGUMENTS), 200),
        ("&".join(["a=1"] * (MOST_ARGUMENTS + 1)), 400),
    ],
)
def test_an_address_has_a_limit(client: FlaskClient, query: str, status: int) -> None:
    """Wants the server busy with an address of a thousand arguments."""
    answer = client.get(f"/login?{query}")
    assert answer.status_code == status
    assert "<html" in answer.text


def test_a_form_has_a_limit(as_user: AsUser) -> None:
    """Wants the memory full, by a form without end or of a thousand parts."""
    browser = as_user("clerk")
    assert browser.post("/language", data={"language": "zh", "more": "a" * (LARGEST_FORM - 100)}).status_code == 302
    for content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        refused = browser.post(
            "/language", data={"language": "en", "more": "a" * (LARGEST_FORM + 1)}, content_type=content_type
        )
        assert refused.status_code == 413
        assert "<html" in refused.text
    many = {f"field{number}": "1" for number in range(MOST_PARTS + 1)}
    assert browser.post("/language", data=many, content_type="multipart/form-data").status_code == 413
    assert 'lang="zh-CN"' in browser.get("/account").text


def test_a_part_without_a_name_is_no_form(app: Flask) -> None:
    """Wants an error page of the server, by a form with a part that has no name, on any page and without an account."""
    body = "--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    answer = app.test_client().post("/login", data=body, content_type="multipart/form-data; boundary=b")
    assert answer.status_code == 400
    assert "<html" in answer.text


def test_a_body_of_json_is_no_form(as_user: AsUser) -> None:
    """Wants to pass the check of a form by sending it as something else."""
    browser = as_user("clerk")
    browser.post("/language", json={"language": "en"})
    assert 'lang="zh-CN"' in browser.get("/account").text


@pytest.fixture
def serving(settings: Settings) -> Iterator[Flask]:
    """The application as the web runs it, with statements of half a second at most."""
    app = create_app(replace(settings, page_seconds=1), discover=False, serving=True)
    app.config["BABEL_DEFAULT_LOCALE"] = "en"
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.test_client_class = Browser
    with app.app_context(), beyond_scope("a test"):
        yield app
        db.session.remove()
        db.engine.dispose()


def test_what_takes_too_long_is_stopped_and_undone(serving: Flask, english: None) -> None:
    """Wants the database busy with one statement for ever."""

    def slow() -> str:
        db.session.add(
            Org(code="99", name="省", short_name="省", pinyin="", initials="", level="province", path="/99/")
        )
        db.session.flush()
        db.session.execute(text("SELECT pg_sleep(5)"))
        raise AssertionError

    serving.view_functions["ready.health"] = public(slow)
    began = time.monotonic()
    answer = serving.test_client().get("/health")
    assert time.monotonic() - began < 4
    assert answer.status_code == 504
    assert "was stopped; nothing was changed" in answer.text
    assert answer.headers["X-Request-ID"] in answer.text
    assert db.session.scalars(text("SELECT count(*) FROM core_org WHERE code = '99'")).one() == 0


def test_who_waits_for_somebody_else_in_vain_is_told(serving: Flask, settings: Settings, english: None) -> None:
    """Wants everybody to wait for a lock that is never given back."""

    def waiting() -> str:
        db.session.execute(text("LOCK TABLE core_org"))
        raise AssertionError

    serving.view_functions["ready.health"] = public(waiting)
    other = create_engine(settings.database_url or "")
    with other.connect() as connection:
        connection.execute(text("LOCK TABLE core_org"))
        answer = serving.test_client().get("/health")
    other.dispose()
    assert answer.status_code == 503
    assert "Somebody else is changing the same" in answer.text
    assert answer.headers["Retry-After"]


def test_a_database_that_is_away_is_a_sentence(settings: Settings, english: None) -> None:
    """Wants the address and the password of the database from an error page."""
    app = create_app(replace(settings, database_url="postgresql+psycopg://secret@/none?host=/nowhere"), discover=False)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    with app.test_client() as browser:
        with browser.session_transaction() as session:
            session["session"] = "x"
        answer = browser.get("/account")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text
    for secret in ("secret", "nowhere", "psycopg", "Traceback"):
        assert secret not in answer.text


def test_the_limits_of_time_reach_the_database(serving: Flask, app: Flask) -> None:
    def limits() -> list[str]:
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        return [str(db.session.scalars(text(f"SHOW {name}")).one()) for name in names]

    with serving.app_context(), beyond_scope("a test"):
        assert limits() == ["1s", "333ms", "2s"]
    with app.app_context(), beyond_scope("a test"):  # a job, a command
        assert limits() == ["0", "0", "0"]


def test_options_of_the_address_are_kept() -> None:
    url = "postgresql+psycopg://u@/d?host=/run&options=-c%20search_path%3Dzhijia"
    assert str(time_limits(url, 30)["options"]).startswith("-c search_path=zhijia -c statement_timeout=30000 -c lock")


@pytest.mark.parametrize("value", ["4", "301", "-5", "ten", "1.5", "٣٠"])
def test_a_wrong_number_of_seconds_is_one_sentence(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="ZHIJIA_PAGE_SECONDS"):
        load_settings({"ZHIJIA_INSTANCE": str(tmp_path), "ZHIJIA_PAGE_SECONDS": value})


def test_who_sends_too_slowly_is_no_longer_listened_to() -> None:
    """Wants all workers waiting for bodies that drip (slow POST).

    The view waits for a body that drips; after the patience it sees the end of it.
    """
    server, visitor = socket.socketpair()
    stop = threading.Event()

    def drip() -> None:
        while not stop.is_set():
            visitor.sendall(b"a")
            time.sleep(0.02)

    def view(_environ: object, _start: object) -> list[bytes]:
        while server.recv(1):
            pass
        return [b"over"]

    sender = threading.Thread(target=drip)
    sender.start()
    began = time.monotonic()
    environ = {"REQUEST_METHOD": "POST", "gunicorn.socket": server}
    assert SlowBodies(view, patience=0.2)(environ, lambda *_: lambda _: None) == [b"over"]
    assert 0.15 < time.monotonic() - began < 5
    stop.set()
    sender.join()
    visitor.close()
    server.close()


def test_a_slow_body_and_a_large_head_get_an_answer(live_server: str) -> None:
    """Wants to confuse the server by heads too large, two hosts or two lengths (request smuggling)."""
    host, port = live_server.removeprefix("http://").split(":")
    for sent in (
        f"GET / HTTP/1.1\r\nHost: {host}\r\nCookie: {'a' * 9000}\r\n\r\n",
        f"GET /{'a' * 9000} HTTP/1.1\r\nHost: {host}\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: {host}\r\n" + "X-A: 1\r\n" * 70 + "\r\n",
        f"GET /login HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        f"POST /login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ):
        with socket.create_connection((host, int(port)), timeout=20) as connection:
            connection.sendall(sent.encode())
            answer = connection.recv(65536).decode()
        assert answer.startswith("HTTP/1.1 4"), answer[:200]
        for told in ("gunicorn", "Traceback", "Python", "Werkzeug"):
            assert told not in answer, sent[:60]
