"""Open redirects: whatever is sent as the way on, nobody is led away from this site."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.users.testing import PASSWORD, AsUser, MakeUser
from core.web.ways import LONGEST, own_path

pytestmark = pytest.mark.services
TRICKS = [
    "",
    "evil.example",
    "https://evil.example/",
    "HTTPS:evil.example",
    "https:///evil.example",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "/\\evil.example",
    "\\/evil.example",
    "\\\\evil.example",
    "/%5cevil.example",
    "/%5Cevil.example",
    "/%255cevil.example",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%252fevil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "\t//evil.example",
    "/\n/evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/\r\nSet-Cookie: session=planted",
    "/%00/evil.example",
    "/\x00/evil.example",
    " //evil.example",
    "/\u2028/evil.example",
    "/\uff0fevil.example",  # a full-width slash, which NFKC makes one
    "/\uff3cevil.example",
    "\uff0f/evil.example",
    "/%ef%bc%8fevil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "java\tscript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/" + "a" * LONGEST,
]
OWN = [
    "/",
    "/account?tab=1",
    "/2014/61/winter_warmth/registers/targets/?name=%E7%8E%8B&after=/61/:7",
    "/people/?next=https://evil.example/",  # what stands behind the question mark leads nowhere by itself
    "/login?q=a//b",
    "/" + "a" * (LONGEST - 1),
]


@pytest.mark.parametrize("target", TRICKS)
def test_a_trick_is_no_path_of_this_site(target: str) -> None:
    assert own_path(target) is None


def test_the_login_follows_no_trick(app: Flask, make_user: MakeUser) -> None:
    """Wants a visitor led to their page after the login (open redirect)."""
    user = make_user("clerk")
    for target in TRICKS:
        data = {"username": user.username, "password": PASSWORD, "next": target}
        entered = app.test_client().post("/login", data=data)
        assert (entered.status_code, entered.headers["Location"]) == (302, "/"), target


def test_no_other_form_follows_a_trick(as_user: AsUser) -> None:
    """Wants the same from any other form that goes on to an address."""
    browser = as_user("clerk")
    for target in TRICKS:
        switched = browser.post("/language", data={"language": "zh", "next": target})
        assert switched.headers["Location"] == "/", target
        known = browser.get("/login", query_string={"next": target})
        assert known.headers["Location"] == "/", target


@pytest.mark.parametrize("target", OWN)
def test_a_path_of_this_site_is_followed(target: str) -> None:
    assert own_path(target) == target


@pytest.mark.parametrize("path", ["//evil.example/", "/%2f/evil.example", "/\\evil.example", "///evil.example/%2e%2e"])
def test_an_address_that_looks_like_another_site_leads_nowhere_by_itself(path: str, client: FlaskClient) -> None:
    """Wants an address of ours that a browser takes for another site's.

    Neither the slash that is added to an address, nor the way back after the login, leaves the site.
    """
    answer = client.open(path, method="GET", base_url="http://localhost")
    assert "evil.example" not in answer.headers.get("Location", "").split("?")[0]


def test_the_address_that_a_browser_came_from_is_not_followed(as_user: AsUser) -> None:
    """Wants the way back to lead to where the visitor came from."""
    browser = as_user("clerk")
    for headers in ({"Referer": "https://evil.example/"}, {"HX-Current-URL": "https://evil.example/"}):
        answer = browser.post("/language", data={"language": "zh"}, headers=headers)
        assert answer.headers["Location"] == "/"
