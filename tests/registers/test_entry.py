"""The page of an entry: what it holds, its history, numbers in full, and two people who change it at once."""

from html import unescape

import pytest

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.extensions import db
from core.org.scope import Scope
from core.people.merging import merge
from core.people.personal import erase, show_data
from core.programs.models import ProgramYear
from core.programs.services import close
from core.registers.models import RecordChange
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club.registers import Corner, Reader
from tests.registers.conftest import CORNER, URL, MakePerson, add_corner, add_reader, id_number, save

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/",))


def only_corner() -> Corner:
    return db.session.query(Corner).populate_existing().one()


def history() -> list[tuple[str, str, dict[str, list[object]]]]:
    return [(line.action, line.actor, line.values) for line in db.session.query(RecordChange).order_by(RecordChange.id)]


def test_the_page_shows_the_entry_and_every_change_of_it(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    add_corner(browser)
    row = only_corner()
    assert save(browser, f"corners/{row.id}", CORNER | {"kind": "corner", "cost_fen": ""}).status_code == 302
    page = unescape(as_user("leader").get(f"{URL}corners/{row.id}").text)
    for shown in ("新城区", "职工书屋", "1200", "2014-03-05", "测试clerk"):
        assert shown in page
    assert "Kind <del>Library</del> → Reading corner; Cost <del>15,000.00 yuan</del> → —" in page
    assert page.index("Changed") < page.index("Entered")
    assert "/change" not in page
    assert [(action, values) for action, _actor, values in history()] == [
        (
            "add",
            {
                "name": [None, "职工书屋"],
                "kind": [None, "library"],
                "volumes": [None, 1200],
                "cost_fen": [None, 15_000_00],
                "opened_on": [None, "2014-03-05"],
            },
        ),
        ("change", {"kind": ["library", "corner"], "cost_fen": [15_000_00, None]}),
    ]


def test_an_entry_that_no_form_made_has_a_page_too(clubs: ProgramYear, as_user: AsUser) -> None:
    db.session.add(
        Corner(program_year_id=clubs.id, org_id=clubs.org_id, org_path="/61/", name="大厅", kind="corner", volumes=1)
    )
    db.session.commit()
    page = as_user("leader").get(f"{URL}corners/{only_corner().id}").text
    assert "Nothing was changed since the entry was made." in page


def test_the_second_of_two_is_told_what_the_first_changed_and_loses_nothing(
    clubs: ProgramYear, as_user: AsUser, make_user: MakeUser
) -> None:
    first, second = as_user("clerk", "6101"), as_user(make_user("clerk", "6101", username="second"))
    add_corner(first)
    row = only_corner()
    opened = second.get(f"{URL}corners/{row.id}/change").text
    seen = unescape(opened.split('name="seen" value="')[1].split('"')[0])
    assert save(first, f"corners/{row.id}", CORNER | {"volumes": "1300"}).status_code == 302

    typed = CORNER | {"name": "阅览室"}
    late = second.post(f"{URL}corners/{row.id}/change", data=typed | {"seen": seen})
    assert late.status_code == 400
    assert "This entry was changed after you had opened it; nothing was saved." in late.text
    assert "Volumes: <del>1200</del> → 1300" in late.text
    assert "测试clerk changed it on" in late.text
    assert 'value="阅览室"' in late.text
    assert (only_corner().name, only_corner().volumes) == ("职工书屋", 1300)

    # The answer says what stands there now, so that the same values can be sent again knowingly.
    again = unescape(late.text.split('name="seen" value="')[1].split('"')[0])
    assert second.post(f"{URL}corners/{row.id}/change", data=typed | {"seen": again}).status_code == 302
    assert (only_corner().name, only_corner().volumes) == ("阅览室", 1200)
    assert history()[-1][2] == {"name": ["职工书屋", "阅览室"], "volumes": [1300, 1200]}


def test_a_change_by_a_job_is_told_too(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    add_corner(browser)
    row = only_corner()
    opened = browser.get(f"{URL}corners/{row.id}/change").text
    seen = unescape(opened.split('name="seen" value="')[1].split('"')[0])
    db.session.query(RecordChange).delete()
    row.volumes = 7
    db.session.commit()
    late = browser.post(f"{URL}corners/{row.id}/change", data=CORNER | {"seen": seen})
    assert late.status_code == 400
    assert "What stands there now:" in late.text
    assert "Volumes: <del>1200</del> → 7" in late.text


@pytest.mark.parametrize("seen", ["", "nonsense", "[1]", '{"name": 1'])
def test_a_page_that_does_not_say_what_it_showed_changes_nothing(
    clubs: ProgramYear, as_user: AsUser, seen: str
) -> None:
    browser = as_user("clerk")
    add_corner(browser)
    page = browser.post(f"{URL}corners/{only_corner().id}/change", data=CORNER | {"volumes": "1", "seen": seen})
    assert page.status_code == 400
    assert "This page does not say what it showed; open the entry again." in page.text
    assert only_corner().volumes == 1200


def test_numbers_are_shown_in_full_when_asked_for_and_that_is_on_record(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson
) -> None:
    person = make_person(1)
    clerk = as_user("clerk", "6101")
    add_reader(clerk, 1)
    entry = f"{URL}readers/{db.session.query(Reader).one().id}"
    assert id_number(1) not in clerk.get(entry).text
    assert clerk.get(f"{entry}/numbers").status_code == 405
    for wrong, sentence in (
        ({}, "Choose what it is for."),
        ({"purpose": "fun"}, "Not a valid choice"),
        ({"purpose": "other"}, "Say what it is for."),
        ({"purpose": "other", "note": f"for {id_number(1)}"}, "leave personal numbers out"),
    ):
        refused = clerk.post(f"{entry}/numbers", data=wrong)
        assert (refused.status_code, id_number(1) in refused.text.replace(f"for {id_number(1)}", "")) == (400, False)
        assert sentence in refused.text
    assert id_number(1) in clerk.post(f"{entry}/numbers", data={"purpose": "payment", "note": "五一批"}).text
    lines = db.session.query(AuditLine).filter_by(action="people.numbers_shown").all()
    assert [(line.object, line.actor, line.data) for line in lines] == [
        (f"person:{person.id}", "测试clerk", {"purpose": "payment", "note": "五一批"})
    ]


def test_numbers_in_full_are_for_those_who_may_see_them(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_person(1)
    clerk = as_user("clerk")
    add_reader(clerk, 1)
    entry = f"{URL}readers/{db.session.query(Reader).one().id}"
    assert as_user("clerk", "6102").post(f"{entry}/numbers", data={"purpose": "identity"}).status_code == 404
    assert as_user("reviewer").post(f"{entry}/numbers", data={"purpose": "identity"}).status_code == 403
    # Who reads the register, and has no permission for the numbers.
    monkeypatch.setattr("core.registers.views.SHOW_NUMBERS", "people.data")
    assert "/numbers" not in clerk.get(entry).text
    assert clerk.post(f"{entry}/numbers", data={"purpose": "identity"}).status_code == 404
    assert db.session.query(AuditLine).filter_by(action="people.numbers_shown").count() == 0


def test_a_register_of_unions_has_no_numbers(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    add_corner(browser)
    assert browser.post(f"{URL}corners/{only_corner().id}/numbers").status_code == 404


def test_in_a_closed_year_numbers_are_not_shown_and_nothing_is_offered(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson
) -> None:
    make_person(1)
    browser = as_user("clerk")
    add_reader(browser, 1)
    entry = f"{URL}readers/{db.session.query(Reader).one().id}"
    close(SYSTEM, clubs)
    assert "/change" not in browser.get(entry).text
    assert browser.post(f"{entry}/numbers", data={"purpose": "identity"}).status_code == 403


def test_a_history_goes_with_the_person_and_is_erased_with_them(
    clubs: ProgramYear, as_user: AsUser, make_user: MakeUser, make_person: MakePerson
) -> None:
    dropped, kept = make_person(1), make_person(2, name="王方")
    browser = as_user("clerk")
    add_reader(browser, 1)
    merge(make_user("clerk", username="merger"), EVERYWHERE, kept.id, dropped.id)
    assert {line.person_id for line in db.session.query(RecordChange)} == {kept.id}
    admin = make_user("admin")
    shown = [one for one in show_data(admin, EVERYWHERE, kept.id) if str(one.title) == "Readers: history"]
    assert [dict(one.values) for one in shown] == [{"Likes": "诗"}]
    erased = erase(admin, EVERYWHERE, kept.id, "asked for it")
    assert [dict(one.values) for one in erased if str(one.title) == "History of registers"] == [
        {"Erased": "The values of 1 changes were erased."}
    ]
    assert [(action, values) for action, _actor, values in history()] == [("add", {})]
