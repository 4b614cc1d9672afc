"""The files of entries about people: when two files become one person, and when somebody is looked up or erased."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, update

from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.merging import merge
from core.people.models import Person
from core.people.personal import erase, show_data
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import registry_of
from core.plugin.types import PersonalRecord
from core.programs.models import ProgramYear
from core.programs.services import enable
from core.users.testing import AsUser, Browser
from tests.files.conftest import PDF, files, picture, send, stored
from tests.plugins_for_tests.reading_club.registers import Reader
from tests.registers.conftest import URL, MakePerson, add_reader

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/",))
Pair = tuple[Person, Person]


@pytest.fixture
def pair(browser: Browser, make_person: MakePerson) -> Pair:
    """Two people, each with an entry and a file; the first has an image as well."""
    kept, dropped = make_person(1), make_person(2, name="李强")
    for serial in (1, 2):
        assert add_reader(browser, serial) == 302
    send(browser, address_of(kept), "一.pdf", PDF + b"1")
    send(browser, address_of(kept), "图.png", picture())
    send(browser, address_of(dropped), "二.pdf", PDF + b"2")
    assert [file.person_id for file in files()] == [kept.id, kept.id, dropped.id]
    return kept, dropped


def entry_of(person: Person) -> Reader:
    return db.session.query(Reader).filter_by(person_id=person.id).order_by(Reader.id).first() or pytest.fail("none")


def address_of(person: Person) -> str:
    return f"{URL}readers/{entry_of(person).id}/files/"


def shown(person: Person) -> list[dict[str, str]]:
    """What is shown of a person's files."""
    return of_files(show_data(SYSTEM, EVERYWHERE, person.id))


def of_files(records: list[PersonalRecord]) -> list[dict[str, str]]:
    return [
        {str(name): value for name, value in record.values.items()}
        for record in records
        if str(record.title) == "Attachment"
    ]


def test_the_names_of_files_are_shown_also_of_those_that_were_removed(pair: Pair, browser: Browser) -> None:
    kept, _dropped = pair
    browser.post(f"{address_of(kept)}{files()[0].id}/remove")
    image, removed = shown(kept)
    assert (image["File"], image["Register"], "Removed on" in image) == ("图.png", "Readers", False)
    assert (removed["File"], "Removed on" in removed) == ("一.pdf", True)


def test_erasing_takes_names_and_contents(
    pair: Pair, browser: Browser, store_path: Path, run_jobs: Callable[[], int]
) -> None:
    kept, dropped = pair
    run_jobs()
    browser.post(f"{address_of(kept)}{files()[0].id}/remove")
    digests = {file.digest for file in files()[:2]}
    records = of_files(erase(SYSTEM, EVERYWHERE, kept.id, "本人申请"))
    assert [record["File"] for record in records] == ["图.png", "一.pdf"]
    first, second, other = files()
    for file in (first, second):
        assert (file.name, file.key, file.thumbnail_key, file.removed_at is None) == ("已删除", None, None, False)
        assert file.digest not in digests
    run_jobs()
    assert (other.name, stored(store_path)) == ("二.pdf", {other.key})
    assert other.person_id == dropped.id


def test_an_erasing_that_is_refused_takes_nothing(
    app: Flask, pair: Pair, store_path: Path, run_jobs: Callable[[], int]
) -> None:
    class Refuses:
        @hookimpl
        def personal_data(self) -> list[PersonalRecord]:
            raise KeyError("chapter")

    registry_of(app).manager.register(Refuses(), "refuses")
    before = stored(store_path)
    with pytest.raises(Exception, match="refuses"):
        erase(SYSTEM, EVERYWHERE, pair[0].id, "本人申请")
    assert [file.name for file in files()] == ["一.pdf", "图.png", "二.pdf"]
    run_jobs()
    assert before <= stored(store_path)


class Mover:
    """A plugin that gives the entries of the dropped file to the kept one, or takes them away (``both`` have one)."""

    def __init__(self, *, both: bool) -> None:
        self.both = both

    @hookimpl
    def person_merged(self, kept: Person, dropped: Person) -> None:
        theirs = Reader.person_id == dropped.id
        if self.both:
            db.session.execute(delete(Reader).where(theirs).execution_options(synchronize_session=False))
        else:
            db.session.execute(update(Reader).where(theirs).values(person_id=kept.id, sponsor_id=Reader.org_id))


def test_files_stay_with_an_entry_that_is_moved(app: Flask, pair: Pair) -> None:
    kept, dropped = pair
    subject = f"reading_club.readers:{entry_of(dropped).id}"
    registry_of(app).manager.register(Mover(both=False), "mover")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert (files()[2].subject, files()[2].person_id) == (subject, kept.id)
    assert {one["File"] for one in shown(kept)} == {"一.pdf", "图.png", "二.pdf"}


def test_files_of_an_entry_that_goes_follow_to_the_one_that_stays(app: Flask, pair: Pair, browser: Browser) -> None:
    kept, dropped = pair
    registry_of(app).manager.register(Mover(both=True), "mover")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert {file.subject for file in files()} == {f"reading_club.readers:{entry_of(kept).id}"}
    assert {file.person_id for file in files()} == {kept.id}
    page = browser.get(address_of(kept)).text
    assert "一.pdf" in page and "二.pdf" in page


def test_what_the_kept_entry_has_already_does_not_follow(app: Flask, pair: Pair, browser: Browser) -> None:
    kept, dropped = pair
    send(browser, address_of(dropped), "同.pdf", PDF + b"1")
    gone = f"reading_club.readers:{entry_of(dropped).id}"
    registry_of(app).manager.register(Mover(both=True), "mover")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert [file.subject for file in files() if file.name == "同.pdf"] == [gone]
    assert browser.get(address_of(kept)).text.count(".pdf</a>") == 2


def test_files_never_follow_to_the_entry_of_another_sponsor(
    app: Flask, pair: Pair, small_tree: dict[str, Org], as_user: AsUser
) -> None:
    kept, dropped = pair
    city: ProgramYear = enable(
        SYSTEM, "reading_club", 2014, small_tree["6101"], opens_on=date(2014, 1, 1), settings={"grant": 100}
    )
    reader = entry_of(kept)
    reader.sponsor_id = city.org_id
    db.session.commit()
    gone = f"reading_club.readers:{entry_of(dropped).id}"
    registry_of(app).manager.register(Mover(both=True), "mover")
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert files()[2].subject == gone
