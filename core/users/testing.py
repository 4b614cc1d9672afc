"""Fixtures about orgs and users, for the core's tests and for those of plugin authors; core/testing.py exports them."""

from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import update
from werkzeug.test import TestResponse

from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.org.queries import by_code
from core.people.secrets import encrypt
from core.users.models import Grant, SecondFactor, User
from core.users.second_factor import factor_of, is_required
from core.users.services import GrantRequest, create_user

PASSWORD = "winter-warmth-2014"
#: The secret in every authenticator app of the tests.
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

#: code -> (name, short name, level, kind, parent, industry path); parents first.
TREE: dict[str, tuple[str, str, str, str, str | None, str | None]] = {
    "61": ("陕西省总工会", "陕西省", "province", "regional", None, None),
    "6101": ("西安市总工会", "西安市", "city", "regional", "61", None),
    "610102": ("新城区总工会", "新城区", "county", "regional", "6101", None),
    "610102001": ("西一路街道工会", "西一路街道", "township", "regional", "610102", None),
    "610103": ("碑林区总工会", "碑林区", "county", "regional", "6101", None),
    "6102": ("铜川市总工会", "铜川市", "city", "regional", "61", None),
    "610202": ("王益区总工会", "王益区", "county", "regional", "6102", None),
    "6111": ("杨凌示范区总工会", "杨凌示范区", "city", "regional", "61", None),
    "61-transport": ("陕西省交通运输工会", "交通运输工会", "city", "industry", "61", None),
    "610102-bus": ("新城公交公司工会", "新城公交", "enterprise", "enterprise", "610102", "/61/61-transport/"),
}

MakeUser = Callable[..., User]
AsUser = Callable[..., "Browser"]


class Browser(FlaskClient):
    """A browser without JavaScript. Each request has an application context of its own, as on a server.

    What changes something carries the CSRF token that a page would have held; ``csrf=False`` leaves it out. Beside
    one's own password goes the code that one's app would show, unless ``code`` is given.
    """

    user: User | None = None

    def open(self, *args: Any, csrf: bool = True, **kwargs: Any) -> TestResponse:
        """Send a request; then the test's own session reads afresh what the request changed."""
        if csrf and kwargs.get("method", "GET") not in ("GET", "HEAD", "OPTIONS"):
            kwargs["headers"] = {**dict(kwargs.get("headers") or {}), "X-CSRFToken": self.csrf_token()}
        data = kwargs.get("data")
        if isinstance(data, dict) and "password" in data and "code" not in data and self.user:
            kwargs["data"] = data | {"code": code_of(self.user)}
        with self.application.app_context():
            response = super().open(*args, **kwargs)
        for answer in (*response.history, response):  # what was sent may lie in a temporary file
            answer.request.environ["wsgi.input"].close()
        db.session.expire_all()
        return response

    def csrf_token(self) -> str:
        """A token that fits this browser's session."""
        with self.session_transaction() as session:
            raw = session.setdefault("csrf_token", "0" * 40)
        return str(URLSafeTimedSerializer(self.application.secret_key or "", salt="wtf-csrf-token").dumps(raw))


def enrol(user: User) -> None:
    """Give a user whose roles need one a second factor, unless there is one."""
    if is_required(user) and factor_of(user) is None:
        row = {"secret": encrypt("totp", SECRET), "last_step": 0, "codes": []}
        db.session.add(SecondFactor(user_id=user.id, **row))
        db.session.commit()


def code_of(user: User) -> str:
    """The code that the user's app shows now; taken as never used before, so that a test need not wait for the next."""
    db.session.execute(update(SecondFactor).where(SecondFactor.user_id == user.id).values(last_step=0))
    db.session.commit()
    return pyotp.TOTP(SECRET).now()


def hold(user: User, role: str, org: Org, *, program: str | None = None) -> None:
    """Let a user hold a role past the rule of roles that do not go together, for tests of what must hold even then."""
    user.grants.append(Grant(role=role, org_id=org.id, org_path=org.path, program=program))
    db.session.commit()


def plant(code: str) -> Org:
    """The org with this code of the small test tree, and those above it, unless they are there already."""
    org = by_code(code)
    if org:
        return org
    name, short, level, kind, parent_code, industry = TREE[code]
    parent = plant(parent_code) if parent_code else None
    org = Org(
        code=code, name=name, short_name=short, pinyin="", initials="", level=level, kind=kind, industry_path=industry,
        parent_id=parent.id if parent else None, path=f"{parent.path if parent else '/'}{code}/",
    )  # fmt: skip
    db.session.add(org)
    db.session.flush()
    return org


@pytest.fixture
def small_tree(app: Flask) -> dict[str, Org]:
    """A province with three cities, an industry union and a bus company, by code; use it or load real divisions."""
    orgs = {code: plant(code) for code in TREE}
    db.session.commit()
    return orgs


@pytest.fixture
def make_user(app: Flask) -> MakeUser:
    """``make_user(role, org_code="61", program=None, until=None, username=None) -> User``; no role makes no grant."""
    numbers = count(1)

    def make(
        role: str | None,
        org_code: str = "61",
        *,
        program: str | None = None,
        until: date | None = None,
        username: str | None = None,
    ) -> User:
        org = plant(org_code)
        grants = [GrantRequest(role=role, org=org, program=program, until=until)] if role else []
        name = username or f"{role or 'nobody'}{next(numbers)}"
        return create_user(SYSTEM, name, f"测试{role or ''}", PASSWORD, org, grants, first=False)

    return make


@pytest.fixture
def as_user(app: Flask, make_user: MakeUser) -> AsUser:
    """``as_user(role, org_code="61", program=None)`` is a browser logged in as a new user, or as one given.

    With their second factor, where their roles need one.
    """

    def enter(role: str | User | None, org_code: str = "61", program: str | None = None) -> Browser:
        user = role if isinstance(role, User) else make_user(role, org_code, program=program)
        browser = app.test_client()
        assert isinstance(browser, Browser)
        enrol(user)
        response = browser.post("/login", data={"username": user.username, "password": PASSWORD})
        assert response.status_code == 302, response.text
        if response.location.startswith("/login/code"):
            response = browser.post("/login/code", data={"code": code_of(user)})
            assert response.status_code == 302, response.text
        browser.user = user
        return browser

    return enter
