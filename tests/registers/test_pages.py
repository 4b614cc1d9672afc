"""The pages of registers: what is refused, then what is done, and what the audit trail says of it."""

import pytest
from sqlalchemy import text

from core.audit.services import SYSTEM
from core.errors import NotFound, Refused
from core.extensions import db
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.services import close, disable
from core.registers import services
from core.users.models import Grant
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, READERS, Corner, Loan, Reader
from tests.registers.conftest import CORNER, PLAIN, URL, MakePerson, actions, add_corner, add_reader, id_number, save

pytestmark = pytest.mark.services


def test_a_union_is_added_shown_changed_and_removed_with_its_audit_lines(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    assert add_corner(browser) == 302
    row = db.session.query(Corner).one()
    assert (row.program_year_id, row.org_path, row.cost_fen) == (clubs.id, "/61/6101/610102/", 15_000_00)
    page = browser.get(URL + "corners/").text
    for shown in ("新城区", "职工书屋", "Library", "1,200", "15,000.00", "2014-03-05", "Cost (yuan)"):
        assert shown in page
    form = browser.get(f"{URL}corners/{row.id}/change").text
    assert 'value="15,000.00"' in form
    assert 'name="org_code"' not in form
    changed = CORNER | {"volumes": "1300", "org_code": "6102"}
    assert save(browser, f"corners/{row.id}", changed).status_code == 302
    assert (row.volumes, row.org_path) == (1300, "/61/6101/610102/")
    assert browser.post(f"{URL}corners/{row.id}/remove").status_code == 302
    assert db.session.query(Corner).count() == 0
    assert actions() == [
        ("register.add", "/61/6101/610102/", {}),
        ("register.change", "/61/6101/610102/", {"fields": ["volumes"]}),
        ("register.remove", "/61/6101/610102/", {}),
    ]


def test_nothing_changed_leaves_no_audit_line(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    add_corner(browser)
    row = db.session.query(Corner).one()
    assert save(browser, f"corners/{row.id}", CORNER).status_code == 302
    assert [action for action, _path, _data in actions()] == ["register.add"]


def test_a_person_is_added_by_number_and_shown_masked(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson
) -> None:
    person = make_person(1)
    browser = as_user("clerk", "6101")
    assert add_reader(browser, 1) == 302
    row = db.session.query(Reader).one()
    assert (row.sponsor_id, row.person_id, row.org_path) == (clubs.org_id, person.id, person.org_path)
    page = browser.get(URL + "readers/").text
    assert "王芳" in page
    assert "*" * 14 + id_number(1)[-4:] in page
    assert id_number(1) not in page
    form = browser.get(f"{URL}readers/{row.id}/change").text
    assert 'name="id_number"' not in form
    assert "王芳" in form
    assert save(browser, f"readers/{row.id}", {"likes": "小说"}).status_code == 302
    assert row.likes == "小说"
    assert actions()[-1] == ("register.change", person.org_path, {"fields": ["likes"]})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"org_code": ""}, "Please enter the code of the union."),
        ({"org_code": "999999"}, "This sponsor has no union with the code “999999” that you answer for."),
        ({"org_code": "610202"}, "This sponsor has no union with the code “610202” that you answer for."),
        ({"name": ""}, "This field is required."),
        ({"volumes": "many"}, "Not a valid integer value."),
        ({"volumes": "10001"}, "Number must be between 0 and 10000."),
        ({"volumes": "9" * 400}, "This number is too large."),
        ({"cost_fen": "lots"}, "is not an amount"),
        ({"kind": "pub"}, "Not a valid choice."),
    ],
)
def test_a_wrong_entry_is_refused_at_its_field_and_nothing_typed_is_lost(
    clubs: ProgramYear, as_user: AsUser, changes: dict[str, str], sentence: str
) -> None:
    browser = as_user("clerk", "6101")
    page = browser.post(URL + "corners/add", data=CORNER | {"opened_on": "2014-03-04"} | changes)
    (field,) = changes
    assert page.status_code == 400
    assert sentence in page.text.split(f'id="{field}-errors"')[1].split("</div>")[0]
    assert 'value="2014-03-04"' in page.text
    assert db.session.query(Corner).count() == 0


def test_a_union_that_is_closed_is_none(clubs: ProgramYear, as_user: AsUser, small_tree: dict[str, Org]) -> None:
    small_tree["610102"].active = False
    db.session.commit()
    assert add_corner(as_user("clerk")) == 400
    assert db.session.query(Corner).count() == 0


@pytest.mark.parametrize("code", ["610102", "6102", "unknown"])
def test_who_is_not_on_file_and_who_is_others_are_refused_alike(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, code: str
) -> None:
    if code != "unknown":
        make_person(1, code).active = code != "610102"
        db.session.commit()
    page = as_user("clerk", "6101").post(URL + "readers/add", data={"id_number": id_number(1)})
    assert page.status_code == 400
    sentence = "Nobody with this identity number is on file in a union of this sponsor that you answer for."
    assert sentence in page.text.split('id="id_number-errors"')[1]
    assert db.session.query(Reader).count() == 0


def test_a_number_that_cannot_be_right_says_why(clubs: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").post(URL + "readers/add", data={"id_number": id_number(1)[:-1]})
    assert "An identity number has 18 characters" in page.text.split('id="id_number-errors"')[1]


def test_nobody_is_in_a_register_twice(clubs: ProgramYear, as_user: AsUser, make_person: MakePerson) -> None:
    make_person(1)
    browser = as_user("clerk")
    assert add_reader(browser, 1) == 302
    page = browser.post(URL + "readers/add", data={"id_number": id_number(1), "likes": "戏剧"})
    assert page.status_code == 400
    assert "This person is in the register already." in page.text.split('id="id_number-errors"')[1]
    assert "戏剧" in page.text
    assert len(actions()) == 1


def test_a_value_that_must_be_the_only_one_is_refused_at_its_field(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    assert add_corner(browser) == 302
    page = browser.post(URL + "corners/add", data=CORNER)
    assert page.status_code == 400
    assert "The register has an entry with this value already." in page.text.split('id="name-errors"')[1]
    assert add_corner(browser, name="二楼") == 302
    second = db.session.query(Corner).filter_by(name="二楼").one()
    page = save(browser, f"corners/{second.id}", CORNER)
    assert page.status_code == 400
    assert "The register has an entry with this value already." in page.text
    assert (second.name, len(actions())) == ("二楼", 2)


def test_what_something_else_refers_to_stays(clubs: ProgramYear, as_user: AsUser, make_person: MakePerson) -> None:
    make_person(1)
    browser = as_user("clerk")
    add_reader(browser, 1)
    row = db.session.query(Reader).one()
    db.session.add(Loan(reader_id=row.id))
    db.session.commit()
    page = browser.post(f"{URL}readers/{row.id}/remove", follow_redirects=True)
    assert "Something else refers to this entry, so it cannot be removed." in page.text
    assert db.session.query(Reader).count() == 1
    assert [action for action, *_more in actions()] == ["register.add", "register.entry_shown"]


def test_a_leader_reads_the_corners_and_changes_nothing(clubs: ProgramYear, as_user: AsUser) -> None:
    add_corner(as_user("clerk"))
    row = db.session.query(Corner).one()
    browser = as_user("leader")
    page = browser.get(URL + "corners/").text
    assert "职工书屋" in page
    assert "corners/add" not in page
    assert f"corners/{row.id}/change" not in page
    for address in ("corners/add", f"corners/{row.id}/change", f"corners/{row.id}/remove"):
        assert browser.post(URL + address, data=CORNER).status_code == 403
    assert browser.get(URL + "corners/add").status_code == 403
    for address in ("readers/", "readers/add"):
        assert browser.get(URL + address).status_code == 403
    assert db.session.query(Corner).one().volumes == 1200


def test_a_role_for_another_program_opens_nothing(clubs: ProgramYear, as_user: AsUser, make_user: MakeUser) -> None:
    user = make_user("leader")
    db.session.add(Grant(user_id=user.id, role="clerk", org_id=user.org_id, org_path=user.org_path, program="chess"))
    db.session.commit()
    browser = as_user(user)
    page = browser.get(URL + "corners/").text
    assert "corners/add" not in page
    assert f'href="{URL}readers/"' not in page
    assert browser.get(URL + "readers/").status_code == 403
    assert browser.post(URL + "corners/add", data=CORNER).status_code == 403


def test_rows_of_others_look_as_if_they_were_not_there(clubs: ProgramYear, as_user: AsUser) -> None:
    add_corner(as_user("clerk", "6101"))
    row = db.session.query(Corner).one()
    browser = as_user("clerk", "6102")
    assert "职工书屋" not in browser.get(URL + "corners/").text
    assert browser.get(f"{URL}corners/{row.id}").status_code == 404
    assert save(browser, f"corners/{row.id}", CORNER).status_code == 404
    assert browser.post(f"{URL}corners/{row.id}/remove").status_code == 404
    assert browser.get(f"{URL}corners/{2**63}").status_code == 404
    assert browser.get(URL + "poems/").status_code == 404
    assert db.session.query(Corner).count() == 1


def test_a_closed_year_is_read_and_not_written(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    add_corner(browser)
    row = db.session.query(Corner).one()
    close(SYSTEM, clubs)
    page = browser.get(URL + "corners/").text
    assert "职工书屋" in page
    assert "corners/add" not in page
    for address in ("corners/add", f"corners/{row.id}/change"):
        assert browser.get(URL + address).status_code == 403
        assert browser.post(URL + address, data=CORNER).status_code == 403
    assert browser.post(f"{URL}corners/{row.id}/remove").status_code == 403
    assert db.session.query(Corner).count() == 1
    disable(SYSTEM, clubs)
    assert browser.get(URL + "corners/").status_code == 404


def test_an_entry_that_somebody_removed_meanwhile_is_not_changed(
    clubs: ProgramYear, as_user: AsUser, make_user: MakeUser
) -> None:
    clerk = make_user("clerk")
    row = services.add(clerk, CORNERS, clubs, PLAIN)
    assert row.volumes == 1200  # read again after the commit, as a page does
    with db.engine.begin() as other:
        other.exec_driver_sql("DELETE FROM reading_club_corner")
    with pytest.raises(NotFound, match="removed this entry meanwhile"):
        services.change(clerk, CORNERS, clubs, row, {"volumes": 1}, {})


def test_a_form_that_lets_through_what_the_table_forbids_is_a_sentence(clubs: ProgramYear, make_user: MakeUser) -> None:
    clerk = make_user("clerk")
    with pytest.raises(Refused, match="does not take these values"):
        services.add(clerk, CORNERS, clubs, PLAIN | {"kind": None})
    assert db.session.query(Corner).count() == 0


def test_registers_of_people_are_told_from_those_of_unions() -> None:
    assert (READERS.of_people, CORNERS.of_people, READERS.name) == (True, False, "readers")


@pytest.mark.as_owner
def test_tables_that_are_behind_the_program_are_said_and_stop_no_other_page(
    clubs: ProgramYear, as_user: AsUser
) -> None:
    browser = as_user("clerk")
    db.session.execute(text("ALTER TABLE reading_club_corner RENAME COLUMN name TO title"))
    db.session.commit()
    page = browser.get(URL + "corners/")
    assert page.status_code == 503
    assert "zhijia db upgrade" in page.text
    assert browser.get(URL + "readers/").status_code == 200
    db.session.execute(text("DROP TABLE reading_club_corner CASCADE"))
    db.session.commit()
    assert browser.get(URL + "corners/").status_code == 503
