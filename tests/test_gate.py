"""The gate before every page of a program year: off, closed, not yet open, somebody else's, and without its plugin."""

from datetime import date, timedelta

import pytest
from flask import Blueprint, Flask, url_for

from core import create_app
from core.audit.services import SYSTEM
from core.config import Settings
from core.extensions import db
from core.org.models import Org
from core.plugin.check_pages import RESERVED
from core.plugin.gate import current_program_year
from core.programs.models import ProgramYear
from core.programs.services import change_dates, close, disable, enable
from core.users.access import today
from core.users.testing import AsUser, Browser
from core.wall import beyond_scope
from tests.plugins_for_tests.reading_club import plugin as reading_club

core_pages = Blueprint("pages_for_tests", __name__)


@core_pages.get("/<int:year>/<sponsor>/<program>/runs/for-tests")
def run() -> str:
    """Stand in for a page of the core about a program year; it links to another without saying which year."""
    return f"{current_program_year().id} {url_for('pages_for_tests.run')} {url_for('pages_for_tests.run', year=2013)}"


@pytest.fixture
def plugins() -> dict[str, object]:
    """The reading clubs and nothing else."""
    return {"reading_club": reading_club}


@pytest.fixture
def app(app: Flask) -> Flask:
    """With a page of the core under the address of a program year."""
    app.register_blueprint(core_pages)
    return app


@pytest.fixture
def clubs(small_tree: dict[str, Org]) -> ProgramYear:
    """Reading clubs of 2014, run by the province, open."""
    return switch_on(small_tree["61"])


def switch_on(sponsor: Org, year: int = 2014) -> ProgramYear:
    return enable(SYSTEM, "reading_club", year, sponsor, opens_on=date(2014, 1, 1), settings={"grant": 100})


BOOKS = "/2014/61/reading_club/books"
RUN = "/2014/61/reading_club/runs/for-tests"


def test_who_is_not_logged_in_is_sent_to_log_in(clubs: ProgramYear, client: Browser) -> None:
    for method, address in (("GET", BOOKS), ("POST", BOOKS), ("GET", RUN)):
        response = client.open(address, method=method)
        assert (response.status_code, response.location.split("?")[0]) == (302, "/login")


def test_the_view_gets_the_program_year_and_no_arguments(clubs: ProgramYear, as_user: AsUser) -> None:
    response = as_user("clerk").get(BOOKS)
    assert (response.status_code, response.text) == (200, "books of 2014 by /61/")


@pytest.mark.parametrize(
    "address",
    [
        "/2015/61/reading_club/books",
        "/2014/6101/reading_club/books",
        "/2014/99/reading_club/books",
        "/2014/61/chess/runs/for-tests",
        "/2014/6101/reading_club/runs/for-tests",
        "/1/61/reading_club/books",
        "/2014/%00/reading_club/books",
        "/2014/61/%00/runs/for-tests",
        "/99999999999999999999/61/reading_club/books",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_a_year_that_is_not_on_is_not_there(clubs: ProgramYear, as_user: AsUser, address: str, method: str) -> None:
    response = as_user("admin").open(address, method=method)
    assert response.status_code in ({404, 405} if "runs" in address and method == "POST" else {404})


def test_one_that_was_switched_off_is_not_there_on_any_page(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    disable(SYSTEM, clubs)
    assert [browser.get(BOOKS).status_code, browser.post(BOOKS).status_code] == [404, 404]
    assert browser.get(RUN).status_code == 404


def test_a_city_sees_what_the_province_runs(clubs: ProgramYear, as_user: AsUser) -> None:
    assert as_user("clerk", "6101").get(BOOKS).status_code == 200


def test_a_city_does_not_see_what_another_city_runs(small_tree: dict[str, Org], as_user: AsUser) -> None:
    switch_on(small_tree["6102"])
    address = "/2014/6102/reading_club/books"
    assert as_user("clerk", "6101").get(address).status_code == 404
    assert as_user("clerk", "6102").get(address).status_code == 200
    assert as_user("clerk", "610202").get(address).status_code == 200
    assert as_user("auditor", "61").get(address).status_code == 200


def test_a_city_does_not_see_what_an_industry_union_runs(small_tree: dict[str, Org], as_user: AsUser) -> None:
    switch_on(small_tree["61"])
    switch_on(small_tree["61-transport"])
    address = "/2014/61-transport/reading_club/books"
    assert as_user("clerk", "6101").get(address).status_code == 404
    assert as_user("clerk", "61-transport").get(address).text == "books of 2014 by /61/61-transport/"


def test_who_lacks_the_permission_to_see_programs_finds_nothing(clubs: ProgramYear, as_user: AsUser) -> None:
    assert as_user(None).get(BOOKS).status_code == 404


def test_a_grant_for_another_program_does_not_show_this_one(
    clubs: ProgramYear, as_user: AsUser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.extensions["zhijia_registry"].programs, "chess", reading_club.programs()[0])
    assert as_user("clerk", program="chess").get(BOOKS).status_code == 404
    assert as_user("clerk", program="reading_club").get(BOOKS).status_code == 200


def test_an_open_year_can_be_written(clubs: ProgramYear, as_user: AsUser) -> None:
    response = as_user("clerk").post(BOOKS, data={"title": "活着"})
    assert (response.status_code, response.text) == (201, "added 活着")


def check_readable_only(browser: Browser) -> None:
    for method in ("GET", "HEAD", "OPTIONS"):
        assert browser.open(BOOKS, method=method).status_code == 200
    refused = browser.post(BOOKS)
    assert refused.status_code == 403
    assert "added" not in refused.text
    assert "</html>" in refused.text


@pytest.mark.parametrize(("days_ago", "status"), [(0, 201), (1, 403)])
def test_the_last_day_belongs_to_the_year(clubs: ProgramYear, as_user: AsUser, days_ago: int, status: int) -> None:
    change_dates(SYSTEM, clubs, opens_on=date(2014, 1, 1), closes_on=today() - timedelta(days=days_ago))
    browser = as_user("clerk")
    assert browser.post(BOOKS).status_code == status
    if status == 403:
        check_readable_only(browser)


@pytest.mark.parametrize(("days_ahead", "status"), [(0, 201), (1, 403)])
def test_the_first_day_belongs_to_the_year(clubs: ProgramYear, as_user: AsUser, days_ahead: int, status: int) -> None:
    change_dates(SYSTEM, clubs, opens_on=today() + timedelta(days=days_ahead), closes_on=None)
    browser = as_user("clerk")
    assert browser.post(BOOKS).status_code == status
    if status == 403:
        check_readable_only(browser)


def test_a_year_that_is_closed_for_good_can_be_read_and_not_written(clubs: ProgramYear, as_user: AsUser) -> None:
    close(SYSTEM, clubs)
    check_readable_only(as_user("clerk"))


def test_no_plugin_may_take_an_address_that_is_the_cores(app: Flask) -> None:
    below = "/<int:year>/<sponsor>/<program>/"
    firsts = {rule.rule.removeprefix(below).split("/")[0] for rule in app.url_map.iter_rules() if below in rule.rule}
    assert {"", "runs"} < firsts <= set(RESERVED)


def test_links_stay_in_the_year_unless_they_name_another(clubs: ProgramYear, as_user: AsUser) -> None:
    response = as_user("clerk").get(RUN)
    assert response.text == f"{clubs.id} {RUN} {RUN.replace('2014', '2013')}"


def test_a_page_of_the_core_stays_readable_when_the_plugin_is_gone(
    clubs: ProgramYear, as_user: AsUser, settings: Settings
) -> None:
    clubs_id = clubs.id
    bare = create_app(settings, discover=False)
    bare.register_blueprint(core_pages)
    bare.test_client_class = Browser
    browser = bare.test_client()
    with as_user("clerk").session_transaction() as old, browser.session_transaction() as new:
        new.update(old)
    assert browser.get(RUN).text.startswith(f"{clubs_id} ")
    assert browser.get(BOOKS).status_code == 404
    with bare.app_context(), beyond_scope("a test"):
        db.engine.dispose()
