"""Each hook: what the core makes of the answer. One ``test_hook_<name>`` for each; more lies beside what asks it.

Most are answered by the reading clubs; those about a year by the halls, whose answers a test can change.
"""

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import IO

import pytest
from flask import Flask
from sqlalchemy import inspect, select

from core.audit.models import AuditLine
from core.audit.services import SYSTEM, record
from core.cli import zhijia
from core.errors import Refused
from core.extensions import db
from core.jobs.services import enqueue
from core.org.models import Org
from core.org.scope import Scope
from core.people.merging import merge
from core.people.models import Person
from core.people.moving import move_person
from core.people.personal import erase, show_data
from core.plugin.hooks import dashboard_cards, menu_items, scan_file, year_blockers, year_copied, year_enabled
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.plugin.types import BankHeader, BankLine, PersonalRecord
from core.programs.forms import ProgramSettingsForm
from core.programs.models import ProgramYear
from core.programs.offers import offered
from core.programs.services import disable, enable
from core.users.access import can
from core.users.testing import AsUser, MakeUser
from tests.people.conftest import pair as pair
from tests.plugins_for_tests import bank_of_qin
from tests.plugins_for_tests.halls import CLOSING, OPENING, Halls
from tests.plugins_for_tests.reading_club import plugin as reading_club

EVERYWHERE = Scope(("/",))


@pytest.fixture
def halls() -> Halls:
    return Halls()


@pytest.fixture
def plugins(halls: Halls) -> dict[str, object]:
    """The reading clubs, and the halls."""
    return {"reading_club": reading_club, "halls": halls.module(), "bank_of_qin": bank_of_qin}


@pytest.fixture
def clubs(small_tree: dict[str, Org]) -> ProgramYear:
    """Reading clubs of 2014, run by the province, open."""
    province = small_tree["61"]
    return enable(SYSTEM, "reading_club", 2014, province, opens_on=date(2014, 1, 1), settings={"grant": 100})


def test_hook_programs(app: Flask) -> None:
    assert registry_of(app).programs["reading_club"].title_zh == "职工读书会"
    assert registry_of(app).owners["reading_club"] == "reading_club"


def test_hook_blueprints(clubs: ProgramYear, as_user: AsUser) -> None:
    assert as_user("clerk").get("/2014/61/reading_club/books").status_code == 200


def test_hook_permissions(small_tree: dict[str, Org], make_user: MakeUser) -> None:
    clerk, leader = make_user("clerk", "6101"), make_user("leader", "6101")
    assert can(clerk, "reading_club.edit", "/61/6101/")
    assert not can(clerk, "reading_club.edit", "/61/")
    assert not can(leader, "reading_club.edit", "/61/6101/")


def test_hook_bank_formats(app: Flask) -> None:
    layout = registry_of(app).bank_formats["bank_of_qin.fixed"]
    header = BankHeader(
        run_id=1, title="慰问", payer="陕西省总工会", payer_code="61", account="", bank_name="", lines=1, total_fen=5,
        digest="", written_at=datetime.now(UTC), pay_on=date(2014, 1, 24),
    )  # fmt: skip
    line = BankLine(number=1, reference="R1-2", name="秦安", account="6222", bank_name="", amount_fen=5, text="慰问")
    content = b"".join(layout.write(iter([line]), header))
    assert content.decode("gbk").splitlines()[1].split() == ["DR1-2", "6222", "秦安", "000000000000005"]
    assert "bank_of_qin.fixed" in [value for value, *_more in ProgramSettingsForm().bank_format.iter_choices()]


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
    assert browser.get("/2014/61/reading_club/reports/volumes").status_code == 200


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


class Broken:
    """A plugin whose hooks about people write something, then fail."""

    @hookimpl
    def person_merged(self, kept: Person) -> None:
        record(SYSTEM, "broken.merge", f"person:{kept.id}", kept.org_path)
        db.session.flush()
        raise KeyError("chapter")

    @hookimpl
    def person_moved(self, person: Person) -> None:
        record(SYSTEM, "broken.move", f"person:{person.id}", person.org_path)
        db.session.flush()
        raise KeyError("chapter")

    @hookimpl
    def personal_data(self, person: Person) -> list[PersonalRecord]:
        record(SYSTEM, "broken.data", f"person:{person.id}", person.org_path)
        raise KeyError("chapter")


def actions() -> set[str]:
    """The actions on record that are about people."""
    return set(db.session.scalars(select(AuditLine.action).where(AuditLine.object.startswith("person:"))))


def test_hook_person_merged(pair: tuple[Person, Person]) -> None:
    kept, dropped = pair
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "reading_club.merge")).one()
    assert (line.object, line.data) == (f"person:{kept.id}", {"dropped": dropped.id})


def test_nobody_is_merged_while_a_plugin_fails(app: Flask, pair: tuple[Person, Person]) -> None:
    kept, dropped = pair
    registry_of(app).manager.register(Broken(), "broken")
    with pytest.raises(Refused, match=r"“broken” failed, and nothing was changed: KeyError: 'chapter'"):
        merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    db.session.commit()
    assert (dropped.merged_into_id, dropped.active, kept.phone, actions()) == (None, True, None, set())


def test_hook_person_moved(pair: tuple[Person, Person], small_tree: dict[str, Org]) -> None:
    person, _other = pair
    move_person(SYSTEM, person.id, small_tree["6102"], agreed_by=person.org_id)
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "reading_club.move")).one()
    assert (line.object, line.org_path, line.data) == (f"person:{person.id}", "/61/6102/", {"to": "6102"})


def test_nobody_is_moved_while_a_plugin_fails(
    app: Flask, pair: tuple[Person, Person], small_tree: dict[str, Org]
) -> None:
    person, _other = pair
    source, org = person.org_id, small_tree["6102"]
    registry_of(app).manager.register(Broken(), "broken")
    with pytest.raises(Refused, match=r"“broken” failed, and nothing was changed: KeyError: 'chapter'"):
        move_person(SYSTEM, person.id, org, agreed_by=source)
    db.session.commit()
    assert (person.org_id, actions()) == (source, set())


def test_hook_personal_data(pair: tuple[Person, Person]) -> None:
    kept, _dropped = pair
    _own, shown = show_data(SYSTEM, EVERYWHERE, kept.id)
    assert (shown.title, shown.values) == ("Books lent", {"Reader": "单小芳"})
    (erased,) = erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    assert (erased.values, kept.name) == ({"Reader": "单小芳"}, "已删除")
    assert actions() == {"people.data_shown", "reading_club.erase", "people.erase"}


def test_nobody_is_shown_or_erased_while_a_plugin_fails(app: Flask, pair: tuple[Person, Person]) -> None:
    kept, _dropped = pair
    registry_of(app).manager.register(Broken(), "broken")
    with pytest.raises(Refused, match="“broken” failed, and nothing was changed"):
        show_data(SYSTEM, EVERYWHERE, kept.id)
    with pytest.raises(Refused, match="“broken” failed, and nothing was changed"):
        erase(SYSTEM, EVERYWHERE, kept.id, "本人申请")
    db.session.commit()
    assert (kept.name, kept.erased_at, actions()) == ("单小芳", None, set())


def test_a_plugin_that_answers_about_people_with_something_else_fails(app: Flask, pair: tuple[Person, Person]) -> None:
    class Odd:
        @hookimpl
        def personal_data(self) -> str:
            return "nothing"

    registry_of(app).manager.register(Odd(), "odd")
    with pytest.raises(Refused, match="“odd” failed"):
        show_data(SYSTEM, EVERYWHERE, pair[0].id)


def test_hook_scan_file(app: Flask) -> None:
    class Scanner:
        @hookimpl
        def scan_file(self, content: IO[bytes], name: str) -> str | None:
            return f"{name} is {content.read().decode()}" if name.startswith("bad") else None

    registry_of(app).manager.register(Scanner(), "scanner")
    content = io.BytesIO(b"a worm")
    assert scan_file(content, "good.txt") == []
    assert scan_file(content, "bad.txt") == ["bad.txt is a worm"]


@pytest.fixture
def of_halls(small_tree: dict[str, Org], halls: Halls) -> ProgramYear:
    """The halls of 2014, on; what the plugin was asked for that is forgotten."""
    program_year = enable(SYSTEM, "halls", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})
    halls.calls.clear()
    return program_year


def test_hook_year_enabled(of_halls: ProgramYear, clubs: ProgramYear, halls: Halls) -> None:
    year_enabled(of_halls)
    year_enabled(clubs)  # of another plugin, which does not answer
    assert halls.calls == [("enabled", "halls", 2014, True)]
    of_halls.enabled = False
    year_enabled(of_halls)
    assert len(halls.calls) == 1


def test_hook_offers(of_halls: ProgramYear, clubs: ProgramYear, make_person: Callable[..., Person]) -> None:
    person = make_person("610102")
    asked = offered("hardship", clubs)
    assert asked is not None
    assert [tuple(row) for row in db.session.execute(asked)] == [
        (person.id, person.org_id, person.org_path, "deep", "")
    ]
    assert offered("hardship", of_halls) is None  # its own
    disable(SYSTEM, of_halls)
    assert offered("hardship", clubs) is None


def test_hook_year_copied(of_halls: ProgramYear, clubs: ProgramYear, halls: Halls) -> None:
    assert [(copied.title, copied.rows) for copied in year_copied(of_halls, of_halls)] == [("Rooms", 3)]
    assert year_copied(clubs, clubs) == []
    halls.copied = "three rooms"
    with pytest.raises(Refused, match=r"“halls” failed.*must return a list of Copied"):
        year_copied(of_halls, of_halls)


def test_hook_year_blockers(of_halls: ProgramYear, clubs: ProgramYear, halls: Halls) -> None:
    halls.blockers = [OPENING, CLOSING]
    assert year_blockers(of_halls) == [OPENING, CLOSING]
    assert year_blockers(clubs) == []
    halls.blockers = LookupError("lost")
    assert [blocker.step for blocker in year_blockers(of_halls)] == ["open", "close"]
