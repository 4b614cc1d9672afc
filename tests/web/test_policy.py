"""The main pages under the content-security policy, in a browser: nothing is stopped, all that moves works.

The fixture ``page`` fails for whatever the policy had to stop, and for every error of a script.
"""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from core.extensions import db
from core.org.models import Org
from core.programs.models import ProgramYear
from core.users.testing import MakeUser
from core.web.testing import OpenAs
from plugins.four_seasons.tests.conftest import MakePeople, computed_run
from plugins.four_seasons.tests.conftest import make_people as make_people
from plugins.four_seasons.tests.conftest import program_year as program_year
from plugins.four_seasons.tests.test_campaign import fund
from plugins.four_seasons.winter import services

pytestmark = pytest.mark.browser
HERE = "/2014/61/winter_warmth"
PLANTED = "<img src=x onerror=\"document.title='run'\">"


@pytest.fixture
def run_page(
    program_year: ProgramYear,
    make_people: MakePeople,
    make_user: MakeUser,
    small_tree: dict[str, Org],
    run_jobs: Callable[[], int],
) -> str:
    """The address of a run with payees in two cities; a union of one is called after an attack."""
    make_people(3, "610102001")
    make_people(2, "610202", start=10)
    small_tree["6102"].short_name = PLANTED
    db.session.commit()
    clerk = make_user("clerk")
    services.make_list(clerk, program_year)
    fund(make_user("finance"), program_year)
    run = computed_run(clerk, program_year, run_jobs)
    return f"{HERE}/runs/{run.id}"


@pytest.mark.parametrize("width", [1440, 390])
def test_the_main_pages_do_all_they_should(run_page: str, open_as: OpenAs, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto("/login")
    assert page.evaluate("typeof htmx") == "object"
    open_as("admin", path=run_page)
    expect(page.locator("[data-map] canvas")).to_be_visible()
    expect(page.locator("[data-chart] canvas").first).to_be_visible()
    paths = ("/", "/tasks/", "/people", "/org/61", "/ledger/", "/admin/users/", "/audit/", "/account", "/no/such/page")
    for path in (*paths, f"{HERE}/", f"{HERE}/registers/targets/", f"{HERE}/reports/", f"{run_page}/payments"):
        page.goto(path, wait_until="networkidle")
        expect(page.locator("h1")).to_be_visible()
    assert "run" not in page.title()


def test_each_answer_has_a_nonce_of_its_own_and_every_script_carries_it(open_as: OpenAs, page: Page) -> None:
    seen = set()
    for _index in range(2):
        answer = page.goto("/login")
        assert answer
        policy = answer.header_value("content-security-policy") or ""
        [nonce] = re.findall(r"script-src 'nonce-([\w-]{20,})';", policy)
        assert page.evaluate("nonce => [...document.scripts].every(s => s.nonce === nonce)", nonce)
        seen.add(nonce)
    assert len(seen) == 2


def test_the_policy_stops_what_gets_into_a_page(page: Page) -> None:
    """Proof that it can: a script, a file of this very site, a handler, a style, a frame, a form to elsewhere."""
    stopped: list[str] = []
    context = page.context
    tab = context.new_page()
    tab.on("console", lambda line: stopped.append(line.text))
    tab.goto("/login")
    tab.evaluate(
        """() => {
            window.ran = [];
            const add = (name, values) => document.body.append(Object.assign(document.createElement(name), values));
            add("script", { textContent: "ran.push('inline')" });
            add("script", { src: "/static/app.js", onload: () => ran.push("own file without a nonce") });
            add("div", { innerHTML: "<img src=x onerror=\\"ran.push('handler')\\">" });
            add("div", { innerHTML: "<p id=painted style='color: red'>x</p>" });
            add("iframe", { srcdoc: "<script>parent.ran.push('frame')</script>" });
            add("object", { data: "/static/logo.svg", onload: () => ran.push("object") });
            const form = Object.assign(document.createElement("form"), { action: "https://evil.example/", id: "away" });
            document.body.append(form);
            form.submit();
            setTimeout("ran.push('text as a program')", 0);
        }"""
    )
    tab.wait_for_timeout(500)
    assert tab.evaluate("ran") == []
    assert tab.evaluate("getComputedStyle(document.querySelector('#painted')).color") != "rgb(255, 0, 0)"
    assert tab.url.endswith("/login")
    assert len([line for line in stopped if "Content Security Policy" in line]) >= 6
    tab.close()


def test_the_way_back_after_logout_shows_nothing(open_as: OpenAs, page: Page) -> None:
    open_as("clerk", path="/account")
    expect(page.locator("h1")).to_be_visible()
    page.click("form[action='/logout'] button")
    page.wait_for_url(re.compile("/login"))
    page.go_back()
    page.wait_for_load_state("networkidle")
    assert "/login" in page.url
    assert page.locator("input[name=password]").count() == 1
    page.goto("/account")
    assert "/login" in page.url
