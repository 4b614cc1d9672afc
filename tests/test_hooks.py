"""Each hook, through the reading clubs: what the core makes of the answer. One ``test_hook_<name>`` for each."""

from collections.abc import Callable
from datetime import date
from types import ModuleType

import pytest
from flask import Flask
from sqlalchemy import inspect

from core.audit.services import SYSTEM
from core.cli import zhijia
from core.extensions import db
from core.jobs.services import enqueue
from core.org.models import Org
from core.plugin.hooks import dashboard_cards, menu_items
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.programs.services import disable, enable
from core.users.access import can
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club import plugin as reading_club


@pytest.fixture
def plugins() -> dict[str, ModuleType]:
    """The reading clubs and nothing else."""
    return {"reading_club": reading_club}


@pytest.fixture
def clubs(small_tree: dict[str, Org]) -> ProgramYear:
    """Reading clubs of 2014, run by the province, open."""
    province = small_tree["61"]
    return enable(SYSTEM, "reading_club", 2014, province, opens_on=date(2014, 1, 1), settings={"grant": 100})


def test_hook_programs(app: Flask) -> None:
    assert registry_of(app).programs["reading_club"].title_zh == "职工读书会"
    assert registry_of(app).owners == {"reading_club": "reading_club"}


def test_hook_blueprints(clubs: ProgramYear, as_user: AsUser) -> None:
    assert as_user("clerk").get("/2014/61/reading_club/books").status_code == 200


def test_hook_permissions(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    clerk, leader = make_user("clerk", "6101"), make_user("leader", "6101")
    assert can(clerk, "reading_club.edit", "/61/6101/")
    assert not can(clerk, "reading_club.edit", "/61/")
    assert not can(leader, "reading_club.edit", "/61/6101/")


def test_hook_registers(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    address = "/2014/61/reading_club/registers/corners/"
    corner = {"org_code": "6101", "name": "职工书屋", "kind": "corner", "volumes": "300"}
    assert browser.post(address + "add", data=corner).status_code == 302
    page = browser.get(address).text
    assert "职工书屋" in page and "Reading corner" in page
    assert f'href="{address}"' in browser.get("/2014/61/reading_club/").text


def test_hook_reports(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert "Volumes by kind" in browser.get("/2014/61/reading_club/reports/").text
    assert browser.get("/2014/61/reading_club/reports/volumes/").status_code == 200


def test_hook_jobs(clubs: ProgramYear, run_jobs: Callable[[], int]) -> None:
    job = enqueue("reading_club.count", SYSTEM, clubs.org_path, program_year_id=clubs.id)
    assert run_jobs() == 1
    assert job.state == "done"


def test_a_job_of_a_year_that_was_switched_off_meanwhile_is_skipped(
    clubs: ProgramYear, run_jobs: Callable[[], int]
) -> None:
    job = enqueue("reading_club.count", SYSTEM, clubs.org_path, program_year_id=clubs.id)
    disable(SYSTEM, clubs)
    run_jobs()
    assert (job.state, bool(job.error)) == ("skipped", True)


def test_hook_schemes(app: Flask) -> None:
    assert registry_of(app).schemes["reading_club.books"].entry_kind == "reading_club.books"


def test_hook_entry_kinds(app: Flask) -> None:
    assert registry_of(app).entry_kinds["reading_club.books"].title_zh == "购书经费"


def test_hook_commands(app: Flask) -> None:
    result = app.test_cli_runner().invoke(zhijia, ["reading-club", "shelves"])
    assert (result.exit_code, result.output) == (0, "3 shelves\n")


def test_hook_migrations(app: Flask) -> None:
    assert {"reading_club_book", "reading_club_alembic"} <= set(inspect(db.engine).get_table_names())


def test_hook_menu_items(clubs: ProgramYear, make_user: MakeUser, app: Flask) -> None:
    user = make_user("clerk")
    with app.test_request_context():
        found = [(link.title, link.url) for link in menu_items(user, clubs)]
        address = "/2014/61/reading_club/books"
        assert found == [(f"Books for {user.name}", address), ("Books 2014", address)]
        disable(SYSTEM, clubs)
        assert menu_items(user, clubs) == []


def test_hook_dashboard_cards(clubs: ProgramYear, make_user: MakeUser, app: Flask) -> None:
    user = make_user("clerk")
    with app.test_request_context():
        (card,) = dashboard_cards(user, clubs)
        assert (card.title, card.value, card.unit) == ("Books", "12", "volumes")
        clubs.program = "chess"  # nobody's program
        assert dashboard_cards(user, clubs) == []
        db.session.rollback()
