"""The pages of registers: what is refused, then what is done, and what the audit trail says of it."""

from datetime import date
from pathlib import Path

import pytest

from core.audit.models import AuditLine
from core.audit.services import SYSTEM
from core.errors import NotFound, Refused
from core.extensions import db
from core.org.models import Org
from core.programs.models import ProgramYear
from core.programs.services import close, disable
from core.registers import services
from core.registers.queries import PAGE
from core.registers.sheets import read_rows
from core.users.models import Grant
from core.users.testing import AsUser, Browser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, READERS, Corner, Loan, Reader
from tests.registers.conftest import MakePerson, id_number, switch_on

pytestmark = pytest.mark.services
URL = "/2014/61/reading_club/registers/"
CORNER = {
    "org_code": "610102",
    "name": "职工书屋",
    "kind": "library",
    "volumes": "1200",
    "cost_fen": "1.5万元",
    "opened_on": "2014-03-05",
}
#: The same, as a service takes it.
PLAIN = CORNER | {"volumes": 1200, "cost_fen": 15_000_00, "opened_on": date(2014, 3, 5)}


def add_corner(browser: Browser, **changes: str) -> int:
    return browser.post(URL + "corners/add", data=CORNER | changes).status_code


def add_reader(browser: Browser, serial: int, url: str = URL) -> int:
    data = {"id_number": id_number(serial), "likes": "诗"}
    return browser.post(url + "readers/add", data=data).status_code


def actions() -> list[tuple[str, str, dict[str, object]]]:
    lines = db.session.query(AuditLine).filter(AuditLine.action.startswith("register.")).order_by(AuditLine.id)
    return [(line.action, line.org_path, line.data) for line in lines]


def test_a_union_is_added_shown_changed_and_removed_with_its_audit_lines(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    assert add_corner(browser) == 302
    row = db.session.query(Corner).one()
    assert (row.program_year_id, row.org_path, row.cost_fen) == (clubs.id, "/61/6101/610102/", 15_000_00)
    page = browser.get(URL + "corners/").text
    for shown in ("新城区", "职工书屋", "Library", "1,200", "15,000.00", "2014-03-05", "Cost (yuan)"):
        assert shown in page
    form = browser.get(f"{URL}corners/{row.id}").text
    assert 'value="15,000.00"' in form
    assert 'name="org_code"' not in form
    changed = CORNER | {"volumes": "1300", "org_code": "6102"}
    assert browser.post(f"{URL}corners/{row.id}", data=changed).status_code == 302
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
    assert browser.post(f"{URL}corners/{row.id}", data=CORNER).status_code == 302
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
    form = browser.get(f"{URL}readers/{row.id}").text
    assert 'name="id_number"' not in form
    assert "王芳" in form
    assert browser.post(f"{URL}readers/{row.id}", data={"likes": "小说"}).status_code == 302
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
    page = browser.post(f"{URL}corners/{second.id}", data=CORNER)
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
    assert len(actions()) == 1


def test_a_leader_reads_the_corners_and_changes_nothing(clubs: ProgramYear, as_user: AsUser) -> None:
    add_corner(as_user("clerk"))
    row = db.session.query(Corner).one()
    browser = as_user("leader")
    page = browser.get(URL + "corners/").text
    assert "职工书屋" in page
    assert "corners/add" not in page
    assert f"corners/{row.id}" not in page
    for address in ("corners/add", f"corners/{row.id}", f"corners/{row.id}/remove"):
        assert browser.post(URL + address, data=CORNER).status_code == 403
    assert browser.get(URL + "corners/add").status_code == 403
    for address in ("readers/", "readers/download.xlsx", "readers/add"):
        assert browser.get(URL + address).status_code == 403
    assert db.session.query(Corner).one().volumes == 1200


def test_only_registers_that_the_user_may_see_have_a_tab(clubs: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").get("/2014/61/reading_club/").text
    assert f'href="{URL}corners/"' in page
    assert f'href="{URL}readers/"' in page
    page = as_user("leader").get("/2014/61/reading_club/").text
    assert f'href="{URL}corners/"' in page
    assert f'href="{URL}readers/"' not in page


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
    assert browser.post(f"{URL}corners/{row.id}", data=CORNER).status_code == 404
    assert browser.post(f"{URL}corners/{row.id}/remove").status_code == 404
    assert browser.get(f"{URL}corners/{2**63}").status_code == 404
    assert browser.get(URL + "poems/").status_code == 404
    assert db.session.query(Corner).count() == 1


def test_two_sponsors_of_one_year_never_meet(
    clubs: ProgramYear, as_user: AsUser, small_tree: dict[str, Org], make_person: MakePerson
) -> None:
    switch_on(small_tree["6101"])
    make_person(1)
    other = "/2014/6101/reading_club/registers/"
    browser = as_user("clerk")
    assert add_corner(browser) == 302
    assert browser.post(other + "corners/add", data=CORNER | {"name": "市级书屋"}).status_code == 302
    assert (add_reader(browser, 1), add_reader(browser, 1, other)) == (302, 302)
    first, second = db.session.query(Corner).order_by(Corner.id)
    assert "市级书屋" not in browser.get(URL + "corners/").text
    assert "职工书屋" not in browser.get(other + "corners/").text
    assert browser.get(f"{URL}corners/{first.id}").status_code == 200
    assert browser.get(f"{URL}corners/{second.id}").status_code == 404
    mine, others = db.session.query(Reader).order_by(Reader.id)
    assert browser.get(f"{URL}readers/{mine.id}").status_code == 200
    assert browser.post(f"{URL}readers/{others.id}/remove").status_code == 404


def test_rows_of_a_year_stay_in_it_and_rows_of_a_sponsor_go_on(
    clubs: ProgramYear, as_user: AsUser, small_tree: dict[str, Org], make_person: MakePerson
) -> None:
    switch_on(small_tree["61"], 2015)
    make_person(1)
    browser = as_user("clerk")
    add_corner(browser)
    add_reader(browser, 1)
    later = "/2015/61/reading_club/registers/"
    assert "职工书屋" not in browser.get(later + "corners/").text
    assert "王芳" in browser.get(later + "readers/").text
    assert browser.get(f"{later}corners/{db.session.query(Corner).one().id}").status_code == 404


def test_a_sponsor_keeps_to_its_own_unions_and_those_of_its_industry(
    as_user: AsUser, small_tree: dict[str, Org], make_person: MakePerson
) -> None:
    switch_on(small_tree["61-transport"])
    url = "/2014/61-transport/reading_club/registers/"
    make_person(1, "610102-bus")
    make_person(2, "610102001")
    province = as_user("clerk")
    assert province.post(url + "corners/add", data=CORNER).status_code == 400
    assert province.post(url + "corners/add", data=CORNER | {"org_code": "610102-bus"}).status_code == 302
    assert (add_reader(province, 1, url), add_reader(province, 2, url)) == (302, 400)
    industry = as_user("clerk", "61-transport")
    assert "新城公交" in industry.get(url + "corners/").text
    assert industry.post(url + "corners/add", data=CORNER | {"org_code": "61-transport"}).status_code == 302


def test_a_closed_year_is_read_and_not_written(clubs: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("clerk")
    add_corner(browser)
    row = db.session.query(Corner).one()
    close(SYSTEM, clubs)
    page = browser.get(URL + "corners/").text
    assert "职工书屋" in page
    assert "corners/add" not in page
    for address in ("corners/add", f"corners/{row.id}"):
        assert browser.get(URL + address).status_code == 403
        assert browser.post(URL + address, data=CORNER).status_code == 403
    assert browser.post(f"{URL}corners/{row.id}/remove").status_code == 403
    assert browser.get(URL + "corners/download.xlsx").status_code == 200
    assert db.session.query(Corner).count() == 1
    disable(SYSTEM, clubs)
    assert browser.get(URL + "corners/").status_code == 404


def test_the_list_is_narrowed_down_by_union_and_by_name(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson
) -> None:
    make_person(1, name="王芳")
    make_person(2, "610202", name="李娜")
    browser = as_user("clerk")
    assert (add_reader(browser, 1), add_reader(browser, 2)) == (302, 302)

    def found(**asked: str) -> list[str]:
        page = browser.get(URL + "readers/", query_string=asked).text
        return [name for name in ("王芳", "李娜") if name in page]

    assert found() == ["王芳", "李娜"]
    assert (found(org="6101"), found(org="610202")) == (["王芳"], ["李娜"])
    assert (found(text="李"), found(text="wangf"), found(text="LN"), found(text="%")) == (
        ["李娜"],
        ["王芳"],
        ["李娜"],
        [],
    )
    page = browser.get(URL + "readers/?org=999999&text=王")
    assert page.status_code == 404
    assert "There is no organisation with the code “999999” here." in page.text.split('id="org-errors"')[1]
    assert 'value="王"' in page.text
    assert as_user("clerk", "6101").get(URL + "readers/?org=6102").status_code == 404


def test_pages_meet_without_gap_or_overlap(clubs: ProgramYear, as_user: AsUser, make_user: MakeUser) -> None:
    clerk = make_user("clerk")
    for number in range(PAGE + 2):
        services.add(
            clerk, CORNERS, clubs, PLAIN | {"name": f"书屋{number:02d}号", "org_code": ("6102", "6101")[number % 2]}
        )
    browser = as_user(clerk)
    first = browser.get(URL + "corners/?org=61").text
    following = first.split('rel="next"')[0].rpartition('href="')[2].split('"')[0].replace("&amp;", "&")
    second = browser.get(following).text
    names = [f"书屋{number:02d}号" for number in range(PAGE + 2)]
    assert sum(name in first for name in names) == PAGE
    assert sum(name in second for name in names) == 2
    assert all((name in first) != (name in second) for name in names)
    assert "org=61" in following
    assert 'rel="next"' not in second


def test_a_page_that_does_not_exist_says_so(clubs: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").get(URL + "corners/?after=nowhere")
    assert page.status_code == 400
    assert "This page of the list does not exist." in page.text


def test_the_download_holds_what_the_user_may_see_and_is_on_record(
    clubs: ProgramYear, as_user: AsUser, tmp_path: Path
) -> None:
    browser = as_user("clerk")
    add_corner(browser)
    add_corner(browser, org_code="610202", name="=1+1", cost_fen="", opened_on="")
    rows = sheet(as_user("leader", "6102"), "corners/download.xlsx", tmp_path)
    assert rows == [
        ("Union", "Name", "Kind", "Volumes", "Cost (yuan)", "Opened"),
        ("王益区", "=1+1", "Library", "1200", "", ""),
    ]
    rows = sheet(browser, "corners/download.xlsx?org=6101", tmp_path)
    assert rows[1:] == [("新城区", "职工书屋", "Library", "1200", "15000", "2014-03-05")]
    assert actions()[-2:] == [
        ("register.download", "/61/6102/", {"program_year": clubs.id, "org": None, "rows": 1}),
        ("register.download", "/61/", {"program_year": clubs.id, "org": "6101", "rows": 1}),
    ]


def test_a_download_of_people_shows_masked_numbers(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson, tmp_path: Path
) -> None:
    make_person(1)
    browser = as_user("clerk")
    add_reader(browser, 1)
    rows = sheet(browser, "readers/download.xlsx", tmp_path)
    assert rows == [
        ("Name", "Identity number", "Union", "Likes"),
        ("王芳", "*" * 14 + id_number(1)[-4:], "西一路街道", "诗"),
    ]


def test_a_list_that_is_too_long_is_narrowed_down_first(
    clubs: ProgramYear, as_user: AsUser, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(services, "LARGEST_DOWNLOAD", 1)
    browser = as_user("clerk")
    add_corner(browser)
    assert len(sheet(browser, "corners/download.xlsx", tmp_path)) == 2
    add_corner(browser, name="二楼")
    page = browser.get(URL + "corners/download.xlsx")
    assert page.status_code == 409
    assert "The list has more than 1 rows; narrow it down to a part of the tree." in page.text
    assert [action for action, _path, _data in actions()].count("register.download") == 1


def test_the_empty_register_says_what_to_do(clubs: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").get(URL + "readers/").text
    assert "The register is empty." in page
    assert "Add the first entry." in page
    page = as_user("leader").get(URL + "corners/").text
    assert "Add the first entry." not in page


def sheet(browser: Browser, address: str, folder: Path) -> list[tuple[str, ...]]:
    """The rows of a download."""
    response = browser.get(URL + address)
    assert response.status_code == 200
    path = folder / "list.xlsx"
    path.write_bytes(response.data)
    return [row.values for row in read_rows(path)]


def test_an_entry_that_somebody_removed_meanwhile_is_not_changed(
    clubs: ProgramYear, as_user: AsUser, make_user: MakeUser
) -> None:
    clerk = make_user("clerk")
    row = services.add(clerk, CORNERS, clubs, PLAIN)
    assert row.volumes == 1200  # read again after the commit, as a page does
    with db.engine.begin() as other:
        other.exec_driver_sql("DELETE FROM reading_club_corner")
    with pytest.raises(NotFound, match="removed this entry meanwhile"):
        services.change(clerk, CORNERS, clubs, row, {"volumes": 1})


def test_a_form_that_lets_through_what_the_table_forbids_is_a_sentence(clubs: ProgramYear, make_user: MakeUser) -> None:
    clerk = make_user("clerk")
    with pytest.raises(Refused, match="does not take these values"):
        services.add(clerk, CORNERS, clubs, PLAIN | {"kind": None})
    assert db.session.query(Corner).count() == 0


def test_registers_of_people_are_told_from_those_of_unions() -> None:
    assert (READERS.of_people, CORNERS.of_people, READERS.name) == (True, False, "readers")
