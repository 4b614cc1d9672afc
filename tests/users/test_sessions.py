"""Sessions: where they are kept, how they end, and that nobody brings one along."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.models import AuditLine
from core.config import ROOT, load_settings
from core.errors import ConfigError
from core.extensions import db
from core.users.login import log_in
from core.users.models import Session, User
from core.users.queries import open_sessions
from core.users.sessions import HALFWAY, KEPT, SEEN_EVERY, family_of, use
from core.users.testing import PASSWORD, AsUser, MakeUser, enrol

pytestmark = pytest.mark.services
NOW = datetime(2014, 1, 8, 1, 0, tzinfo=UTC)
IDLE, LIMIT = timedelta(minutes=30), timedelta(hours=8)
SECOND = timedelta(seconds=1)


def opened(user: User) -> str:
    return log_in(user.username, PASSWORD, "192.0.2.7", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0", now=NOW).token


def token_of(browser: FlaskClient) -> str:
    with browser.session_transaction() as session:
        return str(session["session"])


def rows() -> list[Session]:
    db.session.expire_all()
    return list(db.session.scalars(select(Session).order_by(Session.id)))


def test_the_database_keeps_a_digest_only(make_user: MakeUser) -> None:
    token = opened(make_user("clerk"))
    row = rows()[0]
    assert row.digest == sha256(token.encode()).digest()
    assert (row.address, row.browser) == ("192.0.2.7", "Firefox, Windows")


def test_who_does_nothing_for_half_an_hour_is_out(make_user: MakeUser) -> None:
    token = opened(make_user("clerk"))
    assert use(token, now=NOW + IDLE - SECOND)
    assert use(token, now=NOW + IDLE - SECOND + IDLE) is None
    assert rows()[0].ended_why == "idle"
    assert use(token, now=NOW) is None  # and stays out


def test_nobody_is_in_for_longer_than_a_day_of_work(make_user: MakeUser) -> None:
    token = opened(make_user("clerk"))
    for minutes in range(20, 480, 20):
        assert use(token, now=NOW + timedelta(minutes=minutes))
    assert use(token, now=NOW + LIMIT - SECOND)
    assert use(token, now=NOW + LIMIT) is None
    assert rows()[0].ended_why == "limit"


def test_it_is_written_at_most_once_a_minute_that_somebody_is_there(make_user: MakeUser) -> None:
    token = opened(make_user("clerk"))
    use(token, now=NOW + SEEN_EVERY - SECOND)
    assert rows()[0].seen_at == NOW
    use(token, now=NOW + SEEN_EVERY)
    assert rows()[0].seen_at == NOW + SEEN_EVERY


@pytest.mark.parametrize("role", ["clerk", "finance"])
def test_the_request_that_writes_it_is_answered_as_any_other(as_user: AsUser, role: str) -> None:
    """What was written is read again while it is in reach: else whoever has a second factor met an error each
    minute.
    """
    browser = as_user(role)
    rows()[0].seen_at -= 2 * SEEN_EVERY
    db.session.commit()
    assert browser.get("/account").status_code == 200


def test_what_a_page_asks_by_itself_keeps_nobody_in(make_user: MakeUser) -> None:
    token = opened(make_user("clerk"))
    assert use(token, counts=False, now=NOW + IDLE - SECOND)
    assert rows()[0].seen_at == NOW
    assert use(token, counts=False, now=NOW + IDLE) is None


def test_a_page_that_asks_by_itself_says_so(as_user: AsUser) -> None:
    browser = as_user("clerk")
    before = datetime.now(UTC) - timedelta(minutes=5)
    row = rows()[0]
    row.seen_at = before
    db.session.commit()
    assert browser.get("/jobs/", headers={"HX-Request": "true", "X-Background": "1"}).status_code == 200
    assert rows()[0].seen_at == before
    assert "X-Background" in browser.get("/jobs/").text
    assert rows()[0].seen_at > before


def test_who_has_a_second_factor_goes_on_when_that_is_written(as_user: AsUser) -> None:
    browser = as_user("finance")
    row = rows()[0]
    row.seen_at = datetime.now(UTC) - timedelta(minutes=5)
    db.session.commit()
    assert browser.get("/jobs/").status_code == 200


def test_no_page_polls_without_saying_so() -> None:
    pages = [path for folder in ("core", "plugins") for path in (ROOT / folder).rglob("*.html")]
    assert [path for path in pages if 'hx-trigger="every' in path.read_text() and path.name != "macros.html"] == []


def test_a_login_waits_ten_minutes_for_its_second_factor(make_user: MakeUser) -> None:
    user = make_user("finance")
    enrol(user)
    token = opened(user)
    half = use(token, now=NOW + HALFWAY - SECOND)
    assert half
    assert half.is_halfway
    assert use(token, now=NOW + HALFWAY) is None


@pytest.mark.parametrize("role", ["clerk", "finance"])
def test_each_step_up_gives_another_token(as_user: AsUser, make_user: MakeUser, client: FlaskClient, role: str) -> None:
    user = make_user(role)
    enrol(user)
    client.post("/login", data={"username": user.username, "password": PASSWORD})
    with client.session_transaction() as session:
        planted = session["session"]
    browser = as_user(user)
    first = token_of(browser)
    assert first != planted
    browser.post("/account", data={"current": PASSWORD, "password": "pine-and-river"})
    assert token_of(browser) != first
    assert use(first) is None
    assert use(planted) is None
    assert browser.get("/").status_code == 200


def test_a_copied_cookie_is_worth_nothing_after_the_second_factor(
    make_user: MakeUser, app: Flask, as_user: AsUser
) -> None:
    user = make_user("finance")
    enrol(user)
    halfway = opened(user)
    assert (half := use(halfway, now=NOW))
    thief = app.test_client()
    with thief.session_transaction() as session:
        session["session"] = halfway
    assert thief.get("/people").location.startswith("/login")
    assert half.is_halfway


def test_logging_out_ends_the_session_on_the_server(as_user: AsUser, app: Flask) -> None:
    browser = as_user("clerk")
    token = token_of(browser)
    browser.post("/logout")
    assert rows()[0].ended_why == "logout"
    again = app.test_client()
    with again.session_transaction() as session:
        session["session"] = token
    assert again.get("/account").status_code == 302


def test_one_ends_ones_own_sessions_each_and_all_others(as_user: AsUser, make_user: MakeUser) -> None:
    user, other = make_user("clerk"), as_user("leader")
    here, there, elsewhere, third = (as_user(user) for _index in range(4))
    foreign, mine, second, *_rest = (row.id for row in rows())
    page = here.get("/account").text
    assert page.count("/account/sessions/") == 4  # three others, and all others
    assert here.post(f"/account/sessions/{foreign}/end").status_code == 404
    assert here.post(f"/account/sessions/{mine}/end").status_code == 409
    assert here.post(f"/account/sessions/{second}/end").status_code == 302
    assert here.post(f"/account/sessions/{second}/end").status_code == 404
    assert there.get("/account").status_code == 302
    assert here.post("/account/sessions/end").status_code == 302
    assert [elsewhere.get("/").status_code, third.get("/").status_code] == [302, 302]
    assert [here.get("/").status_code, other.get("/").status_code] == [200, 200]


def test_an_administrator_ends_the_sessions_of_a_user(as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("clerk", "6101")
    browser, admin = as_user(user), as_user("admin")
    assert "192.0.2.7" not in admin.get(f"/admin/users/{user.id}").text
    assert "127.0.0.1" in admin.get(f"/admin/users/{user.id}").text
    assert as_user("admin", "6102").post(f"/admin/users/{user.id}/sessions/end").status_code == 404
    assert browser.get("/").status_code == 200
    assert admin.post(f"/admin/users/{user.id}/sessions/end").status_code == 302
    assert browser.get("/").status_code == 302


def test_only_sessions_that_hold_are_listed(make_user: MakeUser) -> None:
    user = make_user("clerk")
    opened(user)
    assert len(open_sessions(user, NOW + IDLE - SECOND)) == 1
    assert open_sessions(user, NOW + IDLE) == []


def test_dead_sessions_are_removed_after_a_month(make_user: MakeUser, run_job: Callable[[str], None]) -> None:
    user = make_user("clerk")
    old, young = opened(user), opened(user)
    now = datetime.now(UTC)
    for row, seen in zip(rows(), (now - KEPT - SECOND, now - KEPT + timedelta(minutes=1)), strict=True):
        row.seen_at = seen
    db.session.commit()
    run_job("users.tidy")
    assert [row.digest for row in rows()] == [sha256(young.encode()).digest()]
    assert old != young


@pytest.mark.parametrize(
    ("agent", "family"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36 Edg/140.0", "Edge, Windows"),
        (
            "Mozilla/5.0 (Linux; Android 14) Chrome/120.0 Mobile Safari/537.36 MicroMessenger/8.0",
            "MicroMessenger, Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1", "Safari, iPhone"),
        ("curl/8", ""),
        ("<script>", ""),
    ],
)
def test_of_a_browser_its_family_is_kept(agent: str, family: str) -> None:
    assert family_of(agent) == family


@pytest.mark.parametrize(
    ("name", "value", "right"),
    [
        ("ZHIJIA_SESSION_IDLE", "1", False),
        ("ZHIJIA_SESSION_IDLE", "2", True),
        ("ZHIJIA_SESSION_IDLE", "480", True),
        ("ZHIJIA_SESSION_IDLE", "481", False),
        ("ZHIJIA_SESSION_LIMIT", "4", False),
        ("ZHIJIA_SESSION_LIMIT", "5", True),
        ("ZHIJIA_SESSION_LIMIT", "1441", False),
        ("ZHIJIA_SESSION_LIMIT", "8h", False),
        ("ZHIJIA_SECOND_FACTOR", "perhaps", False),
        ("ZHIJIA_DORMANT_DAYS", "6", False),
    ],
)
def test_limits_of_sessions_are_settings_of_the_installation(
    tmp_path: Path, name: str, value: str, right: bool
) -> None:
    environ = {"ZHIJIA_INSTANCE": str(tmp_path), name: value}
    if right:
        assert load_settings(environ).session_idle <= load_settings(environ).session_limit
    else:
        with pytest.raises(ConfigError, match=name):
            load_settings(environ)


@pytest.mark.parametrize("path", ["/account/sessions/end", "/account/mail"])
def test_whoever_has_no_role_looks_after_their_own_account(as_user: AsUser, path: str) -> None:
    """They may not read the line of it, as they read nothing of any union; it is written all the same."""
    browser = as_user(None, "610102")
    assert browser.post(path, data={"mailing": "daily"}).status_code == 302
    actions = {"/account/sessions/end": "user.end_session", "/account/mail": "user.mail"}
    assert db.session.query(AuditLine).filter_by(action=actions[path]).count() == 1
