"""Thirteen ways in which a plugin can be broken, and more: the site, the queue and the migrations go on, and say why.

Each is installed for real, as far as Python can tell: a distribution with an entry point and what it requires.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psutil
import pytest
from flask import Flask
from sqlalchemy import inspect, text
from structlog.testing import capture_logs

from core import create_app
from core.audit.services import SYSTEM
from core.cli import zhijia
from core.config import ROOT, Settings
from core.extensions import db
from core.jobs.services import enqueue
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.testing import AsUser, Browser
from core.wall import beyond_scope
from tests.jobs.conftest import fresh

pytestmark = pytest.mark.services
#: Broken at start: what the page and the list say of them.
QUARANTINED = {
    "raises_on_import": "ImportError: No module named 'braille'",
    "misspelt_hook": "menu_itmes",
    "wrong_argument": "{'request'}",
    "unknown_return_type": "The hook programs must return a list of Program.",
    "takes_anothers_code": "The program code 'winter_warmth' belongs to 'four_seasons'.",
    "table_without_prefix": "The table 'four_seasons_visitor' must begin with 'table_without_prefix_'.",
    "blueprint_clash": "The blueprint 'users' must be named 'blueprint_clash'.",
    "template_outside": "The template 'programs' must lie in ",
    "bad_relationship": "'Hostess'",
    "open_to_everybody": "The page 'open_to_everybody.add_visit' can be written by everybody; mark it with needs(...).",
    "requires_missing": "It requires halls, which is not loaded.",
    "too_new": "It is written for zhijia >=7,<8; this is ",
}
RUNNING = ("failing_migration", "menu_raises", "cards_of_wrong_type", "job_raises")
REQUIRES = {"too_new": "zhijia>=7,<8"}


def install(site: Path, name: str) -> None:
    """A distribution with this plugin, where Python looks for them."""
    info = site / f"{name}-1.5.dist-info"
    info.mkdir(parents=True)
    wanted = REQUIRES.get(name, "zhijia>=0.1")
    package = "reading_club.plugin" if name == "reading_club" else f"broken.{name}"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\nRequires-Dist: {wanted}\n")
    (info / "entry_points.txt").write_text(f"[zhijia.plugins]\n{name} = tests.plugins_for_tests.{package}\n")


@pytest.fixture
def broken(request: pytest.FixtureRequest) -> str:
    """The name of the broken plugin; each test says which by parametrizing it."""
    name: str = request.param
    return name


@pytest.fixture
def app(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> Iterator[Flask]:
    """The application as in earnest, not strict, with the built-in plugins, the reading clubs and the broken one."""
    for name in (broken, "reading_club"):
        install(tmp_path / "site", name)
    monkeypatch.syspath_prepend(tmp_path / "site")
    application = create_app(replace(settings, plugins=(broken, "reading_club"), strict_plugins=False))
    application.config.update(TESTING=True, BABEL_DEFAULT_LOCALE="en")
    application.test_client_class = Browser
    with application.app_context(), beyond_scope("a test"):
        yield application
        db.session.remove()
        db.engine.dispose()


def command(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(zhijia, words)
    return result.exit_code, result.output


def switch_on(program: str, sponsor: Org, **settings: Any) -> ProgramYear:
    return enable(SYSTEM, program, 2014, sponsor, opens_on=date(2014, 1, 1), settings=settings)


@pytest.fixture
def goes_on(app: Flask, small_tree: dict[str, Org], as_user: AsUser, run_jobs: Callable[[], int]) -> Callable[[], None]:
    """Check that the rest of the house works: migrations, pages and jobs."""

    def check() -> None:
        code, output = command(app, "db", "upgrade")
        assert (code, "upgraded reading_club" in output) == (int("failing_migration" in output), True), output
        assert "reading_club_book" in inspect(db.engine).get_table_names()
        clubs = switch_on("reading_club", small_tree["61"], grant=100)
        clerk = as_user("clerk")
        assert clerk.get("/2014/61/reading_club/books").text == "books of 2014 by /61/"
        for address in ("/", "/2014/61/reading_club/", "/login"):
            assert clerk.get(address, follow_redirects=True).status_code == 200
        job = enqueue("reading_club.count", SYSTEM, clubs.org_path, program_year_id=clubs.id)
        run_jobs()
        assert fresh(job.id).state == "done"

    return check


@pytest.mark.parametrize("broken", list(QUARANTINED), indirect=True)
def test_a_plugin_that_is_broken_at_start_is_quarantined_and_the_house_goes_on(
    app: Flask, broken: str, goes_on: Callable[[], None], as_user: AsUser
) -> None:
    assert set(registry_of(app).failed) == {broken}
    goes_on()
    page = as_user("admin").get("/admin/plugins/").text
    reason = QUARANTINED[broken]
    assert reason.replace("'", "&#39;").replace(">", "&gt;").replace("<", "&lt;") in page
    code, output = command(app, "plugin", "list")
    assert code == 0
    (line,) = [line for line in output.splitlines() if line.startswith("quarantined")]
    assert line.startswith(f"quarantined {broken} 1.5: ")
    assert reason in line
    code, output = command(app, "plugin", "check", broken)
    assert (code, reason in output) == (1, True)


@pytest.mark.parametrize("broken", RUNNING, indirect=True)
def test_a_plugin_that_breaks_while_running_is_loaded_and_the_house_goes_on(
    app: Flask, broken: str, goes_on: Callable[[], None]
) -> None:
    assert f"loaded {broken} 1.5: {broken}" in command(app, "plugin", "list")[1]
    goes_on()


@pytest.mark.parametrize("broken", ["failing_migration"], indirect=True)
def test_a_failing_migration_is_named_and_leaves_nothing(
    app: Flask, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    code, output = command(app, "db", "upgrade")
    assert code == 1
    assert "failed failing_migration: ProgrammingError" in output
    assert "NONSENSE" in output
    assert not [name for name in inspect(db.engine).get_table_names() if name.startswith("failing_migration")]
    assert "tables at none; newest is 0001, run: zhijia db upgrade" in command(app, "plugin", "list")[1]
    page = as_user("admin").get("/admin/plugins/").text
    assert "zhijia db upgrade" in page


@pytest.mark.parametrize("broken", ["menu_raises"], indirect=True)
def test_a_menu_that_fails_leaves_the_rest_of_the_page(app: Flask, small_tree: dict[str, Org], as_user: AsUser) -> None:
    switch_on("menu_raises", small_tree["61"])
    clerk = as_user("clerk")
    with capture_logs() as logs:
        page = clerk.get("/2014/61/menu_raises/")
    assert (page.status_code, "Figure that is in order" in page.text) == (200, True)
    told = [entry for entry in logs if entry["event"] == "hook failed"]
    assert told
    assert {(entry["plugin"], entry["hook"]) for entry in told} == {("menu_raises", "menu_items")}
    assert "the menu is lost" in told[0]["error"]


@pytest.mark.parametrize("broken", ["cards_of_wrong_type"], indirect=True)
def test_figures_of_the_wrong_type_leave_the_rest_of_the_page(
    app: Flask, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    switch_on("cards_of_wrong_type", small_tree["61"])
    clerk = as_user("clerk")
    with capture_logs() as logs:
        page = clerk.get("/2014/61/cards_of_wrong_type/")
    assert (page.status_code, "twelve" in page.text) == (200, False)
    told = [entry["error"] for entry in logs if entry["event"] == "hook failed"]
    assert told
    assert "dashboard_cards must return a list of Card" in told[0]


@pytest.mark.parametrize("broken", ["job_raises"], indirect=True)
def test_a_job_that_fails_says_so_on_its_page(
    app: Flask, small_tree: dict[str, Org], as_user: AsUser, run_jobs: Callable[[], int]
) -> None:
    year = switch_on("job_raises", small_tree["61"])
    job = enqueue("job_raises.count", SYSTEM, year.org_path, program_year_id=year.id)
    run_jobs()
    assert fresh(job.id).state == "failed"
    assert "nobody to divide by" in as_user("clerk").get(f"/jobs/{job.id}").text


@pytest.mark.as_owner
@pytest.mark.parametrize("broken", ["raises_on_import"], indirect=True)
def test_the_core_is_upgraded_from_nothing_while_a_plugin_is_in_quarantine_and_another_is_gone(app: Flask) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
        connection.execute(text("CREATE TABLE chess_alembic (version_num text)"))
    code, output = command(app, "db", "upgrade")
    assert (code, output.splitlines()) == (
        0,
        [
            "upgraded core",
            "upgraded four_seasons",
            "upgraded hardship_aid",
            "upgraded reading_club",
            "chess has tables here, but no loaded plugin owns them; they are left alone",
        ],
    )


@pytest.mark.parametrize("broken", ["raises_on_import"], indirect=True)
def test_a_worker_runs_the_jobs_of_the_others(
    app: Flask, small_tree: dict[str, Org], worker_process: Callable[..., psutil.Popen], tmp_path: Path
) -> None:
    assert command(app, "db", "upgrade")[0] == 0
    clubs = switch_on("reading_club", small_tree["61"], grant=100)
    job = enqueue("reading_club.count", SYSTEM, clubs.org_path, program_year_id=clubs.id)
    db.session.commit()
    environ = {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}", "ZHIJIA_PLUGINS": "raises_on_import reading_club"}
    assert worker_process("--burst", environ=environ).wait(60) == 0
    assert fresh(job.id).state == "done"
    assert "braille" in (tmp_path / "worker.log").read_text()
