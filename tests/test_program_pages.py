"""The pages of program years and of their administration: who sees what, and what wrong input is answered with."""

from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.cli import zhijia
from core.errors import ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.programs import frame
from core.programs.models import ProgramYear
from core.programs.services import close, disable, enable
from core.users.models import User
from core.users.testing import AsUser, Browser
from core.web.home import Panel
from tests.plugins_for_tests.reading_club import plugin as reading_club

HOME = "/2014/61/reading_club/"
NEW = "/admin/years/new/reading_club"


@pytest.fixture
def plugins() -> dict[str, ModuleType]:
    """The reading clubs and nothing else."""
    return {"reading_club": reading_club}


@pytest.fixture
def clubs(small_tree: dict[str, Org]) -> ProgramYear:
    """Reading clubs of 2014, run by the province, open."""
    return switch_on(small_tree["61"])


def switch_on(sponsor: Org, year: int = 2014) -> ProgramYear:
    return enable(SYSTEM, "reading_club", year, sponsor, opens_on=date(2014, 1, 1), settings={"grant": 12_345})


def form_data(**changes: str) -> dict[str, str]:
    """What the page for switching on would send."""
    return {
        "year": "2015",
        "sponsor": "61",
        "opens_on": "2015-01-01",
        "closes_on": "",
        "settings-grant": "1.5万元",
        "settings-notice_working_days": "5",
        "settings-reminder_working_days": "2",
        "settings-approvals_needed": "2",
        "settings-paying_level": "city",
    } | changes


def all_years() -> list[ProgramYear]:
    return list(db.session.scalars(select(ProgramYear).order_by(ProgramYear.id)))


def in_english(browser: Browser) -> Browser:
    browser.post("/language", data={"language": "en"})
    return browser


def test_the_list_holds_only_what_the_user_may_see(small_tree: dict[str, Org], as_user: AsUser) -> None:
    for code in ("61", "6102", "61-transport"):
        switch_on(small_tree[code])
    disable(SYSTEM, switch_on(small_tree["6101"]))
    clerk, province = as_user("clerk", "6101").get("/programs").text, as_user("leader").get("/programs").text
    codes = ("61", "6101", "6102", "61-transport")
    assert [code for code in codes if f"/2014/{code}/" in clerk] == ["61"]
    assert [code for code in codes if f"/2014/{code}/" in province] == ["61", "6102", "61-transport"]


def test_a_grant_for_one_program_lists_only_that_program(
    clubs: ProgramYear, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    chess = switch_on(small_tree["61"], 2015)
    chess.program = "chess"
    db.session.commit()
    both, clubs_only = as_user("clerk"), as_user("clerk", program="reading_club")
    assert [f"/{year}/61/" in both.get("/programs").text for year in (2014, 2015)] == [True, True]
    assert [f"/{year}/61/" in clubs_only.get("/programs").text for year in (2014, 2015)] == [True, False]


def test_an_empty_list_says_so(small_tree: dict[str, Org], as_user: AsUser) -> None:
    assert "No program is switched on." in in_english(as_user("clerk")).get("/programs").text


def test_the_first_page_shows_sponsor_settings_menu_and_figures(clubs: ProgramYear, as_user: AsUser) -> None:
    page = in_english(as_user("clerk")).get(HOME).text
    for words in ("陕西省总工会", "123.45 yuan", "Books 2014", "Books for", "volumes", "2014-01-01"):
        assert words in page
    assert page.index("Books for") < page.index("Books 2014")  # the lighter one first


def test_a_hook_that_raises_hides_only_its_own_part(
    clubs: ProgramYear, as_user: AsUser, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def menu_items(user: User, program_year: ProgramYear) -> list[Any]:
        db.session.execute(db.text("SELECT * FROM nowhere"))
        return []

    manager = registry_of(app).manager
    manager.unregister(reading_club)
    broken = SimpleNamespace(menu_items=hookimpl(menu_items), dashboard_cards=reading_club.dashboard_cards)
    manager.register(broken, "reading_club")
    response = in_english(as_user("clerk")).get(HOME)
    assert response.status_code == 200
    assert "volumes" in response.text
    assert "Books 2014" not in response.text


def test_a_hook_that_returns_something_else_shows_nothing(clubs: ProgramYear, as_user: AsUser, app: Flask) -> None:
    def menu_items() -> list[Any]:
        return ["Books"]

    def dashboard_cards() -> Any:
        return None

    manager = registry_of(app).manager
    manager.unregister(reading_club)
    manager.register(
        SimpleNamespace(menu_items=hookimpl(menu_items), dashboard_cards=hookimpl(dashboard_cards)), "reading_club"
    )
    response = as_user("clerk").get(HOME)
    assert (response.status_code, "Books" in response.text) == (200, False)


def test_the_first_page_reads_without_the_plugin(clubs: ProgramYear, as_user: AsUser, app: Flask) -> None:
    browser = in_english(as_user("clerk"))
    registry = registry_of(app)
    registry.programs.clear()
    registry.owners.clear()
    page = browser.get(HOME)
    assert page.status_code == 200
    assert "The plugin of this program is not loaded." in page.text
    assert "12345" in page.text


def test_other_areas_add_tabs_and_parts_to_the_first_page(clubs: ProgramYear, as_user: AsUser, app: Flask) -> None:
    frame.provide_tab(app, frame.YearTab(title=_l("Secrets"), endpoint="programs.home", permission="user.manage"))
    frame.provide_tab(app, frame.YearTab(title=_l("Shelves"), endpoint="programs.home", permission="program.view"))
    frame.provide_panel(app, lambda _user, _year: None)
    frame.provide_panel(app, lambda _user, _year: Panel(template="programs/_mine.html", context={"rows": []}))
    page = in_english(as_user("clerk")).get(HOME).text
    assert ("Shelves" in page, "Secrets" in page, "My programs" in page) == (True, False, True)


def test_open_programs_are_on_the_home_page(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    assert HOME in browser.get("/").text
    close(SYSTEM, clubs)
    assert HOME not in browser.get("/").text


@pytest.mark.parametrize("role", ["clerk", "finance", "auditor"])
def test_administration_is_closed_to_others(clubs: ProgramYear, as_user: AsUser, role: str) -> None:
    browser = as_user(role)
    for address in ("/admin/years/", NEW, f"/admin/years/{clubs.id}", "/admin/plugins/"):
        assert browser.get(address).status_code == 403
    for step in ("settings", "dates", "disable", "enable", "close"):
        assert browser.post(f"/admin/years/{clubs.id}/{step}").status_code == 403
    assert browser.post(NEW, data=form_data()).status_code == 403


def test_an_administrator_of_a_city_finds_only_the_citys_years(
    clubs: ProgramYear, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    own = switch_on(small_tree["6101"])
    browser = as_user("admin", "6101")
    page = browser.get("/admin/years/").text
    assert (f"/admin/years/{own.id}" in page, f"/admin/years/{clubs.id}" in page) == (True, False)
    assert browser.get(f"/admin/years/{clubs.id}").status_code == 404
    assert browser.post(f"/admin/years/{clubs.id}/disable").status_code == 404
    assert browser.post(NEW, data=form_data(sponsor="61")).status_code == 404
    assert browser.get("/admin/years/99999999999999999999").status_code == 404


def test_switching_on_by_the_page(small_tree: dict[str, Org], as_user: AsUser) -> None:
    browser = as_user("admin")
    assert '<option value="61-transport">' in browser.get(NEW).text
    response = browser.post(NEW, data=form_data())
    (program_year,) = all_years()
    assert (response.status_code, response.location) == (302, f"/admin/years/{program_year.id}")
    assert program_year.settings["grant"] == 1_500_000
    assert browser.get(response.location).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"year": "1948"}, 400, "year"),
        ({"year": ""}, 400, "year"),
        ({"year": "next"}, 400, "year"),
        ({"sponsor": ""}, 400, "sponsor"),
        ({"sponsor": "99"}, 404, "sponsor"),
        ({"opens_on": "2015-02-30"}, 400, "opens_on"),
        ({"opens_on": ""}, 400, "opens_on"),
        ({"closes_on": "2014-12-31"}, 400, "closes_on"),
        ({"settings-grant": ""}, 400, "settings-grant"),
        ({"settings-grant": "lots"}, 400, "settings-grant"),
        ({"settings-notice_working_days": "61"}, 400, "settings-notice_working_days"),
        ({"settings-paying_level": "planet"}, 400, "settings-paying_level"),
    ],
)
def test_wrong_input_is_answered_at_its_field_and_changes_nothing(
    small_tree: dict[str, Org], as_user: AsUser, wrong: dict[str, str], status: int, field: str
) -> None:
    response = as_user("admin").post(NEW, data=form_data(**wrong))
    assert response.status_code == status
    assert f'id="{field}-errors"' in response.text
    assert all_years() == []


def test_an_unknown_program_is_not_there(small_tree: dict[str, Org], as_user: AsUser) -> None:
    assert as_user("admin").get("/admin/years/new/chess").status_code == 404


def test_enabling_twice_by_the_page_is_refused_with_a_sentence(clubs: ProgramYear, as_user: AsUser) -> None:
    response = in_english(as_user("admin")).post(NEW, data=form_data(year="2014"))
    assert response.status_code == 409
    assert "already" in response.text


def test_changing_settings_and_dates_by_the_page(clubs: ProgramYear, as_user: AsUser) -> None:
    browser, address = in_english(as_user("admin")), f"/admin/years/{clubs.id}"
    changed = {name: value for name, value in form_data().items() if name.startswith("settings-")}
    assert browser.post(f"{address}/settings", data=changed | {"version": "1"}).status_code == 302
    assert (clubs.settings["grant"], clubs.settings_version) == (1_500_000, 2)
    late = browser.post(f"{address}/settings", data=changed | {"version": "1", "settings-grant": "1"})
    assert (late.status_code, "meanwhile" in late.text) == (409, True)
    assert browser.post(f"{address}/settings", data=changed | {"settings-grant": "x"}).status_code == 400
    assert browser.post(f"{address}/dates", data={"opens_on": "2014-02-01"}).status_code == 302
    assert browser.post(f"{address}/dates", data={"opens_on": ""}).status_code == 400
    wrong = browser.post(f"{address}/dates", data={"opens_on": "2014-02-01", "closes_on": "2014-01-31"})
    assert (wrong.status_code, 'id="closes_on-errors"' in wrong.text) == (400, True)
    assert clubs.settings_version == 2
    assert (clubs.opens_on, clubs.closes_on) == (date(2014, 2, 1), None)


def test_off_on_again_and_closed_for_good_by_the_page(clubs: ProgramYear, as_user: AsUser) -> None:
    browser, address = as_user("admin"), f"/admin/years/{clubs.id}"
    for step in ("disable", "enable", "close"):
        assert browser.post(f"{address}/{step}").status_code == 302
        assert browser.get(address).status_code == 200
    assert clubs.enabled
    assert clubs.closed_at is not None
    browser.post(f"{address}/close")
    assert "alert-danger" in browser.get(address).text


def test_the_page_of_plugins_names_the_reason_of_a_quarantine(
    small_tree: dict[str, Org], as_user: AsUser, app: Flask
) -> None:
    registry_of(app).failed["chess"] = ImportError("no board")
    page = as_user("admin").get("/admin/plugins/").text
    assert "ImportError: no board" in page
    assert "reading_club" in page


def run(app: Flask, *words: str) -> tuple[Exception | None, str]:
    """Run ``zhijia years ...``; an error of the house is a sentence that :func:`core.cli.main` prints."""
    result = app.test_cli_runner().invoke(zhijia, ["years", *words])
    error = result.exception
    return (error if isinstance(error, Exception) else None), result.output


WORDS = ("enable", "reading_club", "--year", "2014", "--sponsor", "61")


def test_a_year_is_enabled_by_the_command_line(small_tree: dict[str, Org], app: Flask) -> None:
    error, output = run(app, *WORDS, "--set", "grant=1.25亿元", "--closes", "2014-12-31")
    assert (error, output) == (None, "enabled reading_club 2014 for 陕西省总工会 (closed)\n")
    assert all_years()[0].settings["grant"] == 12_500_000_000
    assert run(app, "list")[1] == "2014 61 reading_club closed 2014-01-01..2014-12-31 陕西省总工会\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (WORDS, "Grant"),
        ((*WORDS, "--set", "grant"), "“grant”"),
        ((*WORDS, "--set", "grant=1", "--set", "colour=red"), "“colour”"),
        ((*WORDS, "--set", "grant=much"), "“much”"),
        (("enable", "reading_club", "--year", "2014", "--sponsor", "99"), "“99”"),
        (("enable", "chess", "--year", "2014", "--sponsor", "61"), "“chess”"),
        (("enable", "reading_club", "--year", "0", "--sponsor", "61", "--set", "grant=1"), "0"),
    ],
)
def test_the_command_line_refuses_with_one_sentence(
    small_tree: dict[str, Org], app: Flask, words: tuple[str, ...], sentence: str
) -> None:
    error, _output = run(app, *words)
    assert isinstance(error, ZhijiaError)
    assert sentence in str(error)
    assert all_years() == []
