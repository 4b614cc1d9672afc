"""What a list is narrowed down with, made from its columns: what is wrong is said at its place, the list is there."""

from datetime import date

import pytest

from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.registers.listing import listing_of
from core.users.testing import AsUser
from tests.lists.conftest import CORNERS_URL, MakeCorner
from tests.lists.reading import lines
from tests.plugins_for_tests.reading_club.registers import CORNERS
from tests.registers.conftest import MakePerson, add_reader, id_number

pytestmark = pytest.mark.services
READERS_URL = "/2014/61/reading_club/registers/readers/"
PROVINCE = Scope(("/61/",))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("f-kind", "palace", "“palace” is not one of the choices."),
        ("f-volumes-from", "many", "“many” is not a number."),
        ("f-volumes-to", "1e99", "“1e99” is not a number."),
        ("f-cost_fen-from", "十元", "“十元” is not an amount"),
        ("f-cost_fen-to", "0.001", "smaller than one fen"),
        ("f-opened_on-from", "2014-02-30", "“2014-02-30” is not a day"),
        ("f-opened_on-to", "9999-12-31", "is not a day"),
        ("org", "999999", "There is no organisation with the code “999999” here."),
    ],
)
def test_a_wrong_value_is_said_at_its_field_and_the_list_is_there(
    make_corner: MakeCorner, as_user: AsUser, field: str, value: str, sentence: str
) -> None:
    make_corner("职工书屋")
    page = as_user("clerk").get(CORNERS_URL, query_string={field: value, "f-name": "书"})
    assert page.status_code == 400
    assert sentence in page.text.split(f'id="{field}-errors"')[1].split("</div>")[0]
    assert "职工书屋" in page.text
    assert f'value="{value}"' in page.text or field == "f-kind"


def test_a_span_that_ends_before_it_begins_is_refused(make_corner: MakeCorner, as_user: AsUser) -> None:
    page = as_user("clerk").get(CORNERS_URL, query_string={"f-volumes-from": "2", "f-volumes-to": "1"})
    assert page.status_code == 400
    assert "lies before its beginning" in page.text.split('id="f-volumes-to-errors"')[1]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"f-name": "书"}, "AB"),
        ({"f-name": "书", "f-name-how": "begins"}, "B"),
        ({"f-name": "%"}, ""),
        ({"f-name": "_"}, ""),
        ({"f-kind": "library"}, "B"),
        ({"f-volumes-from": "10"}, "ABC"),
        ({"f-volumes-from": "10.5"}, "BC"),
        ({"f-volumes-from": "11", "f-volumes-to": "1,000"}, "BC"),
        ({"f-volumes-to": "999"}, "AB"),
        ({"f-volumes-from": "-5", "f-volumes-to": "9"}, ""),
        ({"f-cost_fen-from": "1.5万"}, "B"),
        ({"f-cost_fen-from": "15000.01"}, ""),
        ({"f-cost_fen-to": "14999.99"}, "A"),
        ({"f-opened_on-from": "2014-03-05", "f-opened_on-to": "2014-03-05"}, "A"),
        ({"f-opened_on-from": "2014-03-06"}, "B"),
        ({"org": "6101"}, "AB"),
        ({"org": "6102", "f-volumes-from": "10"}, "C"),
    ],
)
def test_rows_are_found_by_what_their_columns_hold(
    clubs: ProgramYear, make_corner: MakeCorner, asked: dict[str, str], expected: str
) -> None:
    a = make_corner("职工书屋", volumes=10, cost_fen=0)
    b = make_corner("书香楼", volumes=11, cost_fen=15_000_00, kind="library", opened_on=date(2014, 3, 6))
    c = make_corner("角落", "610202", volumes=1000, cost_fen=None, opened_on=None)
    names = {a.id: "A", b.id: "B", c.id: "C"}
    found = lines(listing_of(CORNERS, clubs), PROVINCE, **asked)
    assert "".join(names[line.id] for line in found) == expected


def test_several_choices_are_any_of_them(make_corner: MakeCorner, as_user: AsUser) -> None:
    make_corner("角")
    make_corner("馆", kind="library")
    page = as_user("clerk").get(CORNERS_URL + "?f-kind=corner&f-kind=library").text
    assert ">角<" in page and ">馆<" in page
    assert page.count('name="f-kind" value="library" checked') == 1


def test_a_text_with_a_character_that_no_database_takes_finds_nothing_and_breaks_nothing(
    make_corner: MakeCorner, as_user: AsUser
) -> None:
    browser = as_user("clerk")
    for field in ("f-name", "org", "f-kind", "text", "sort", "after"):
        assert browser.get(CORNERS_URL, query_string={field: "a\0b"}).status_code in (200, 400)


def test_a_number_leads_to_the_rows_of_its_person_and_stands_in_no_address(
    clubs: ProgramYear, make_person: MakePerson, as_user: AsUser
) -> None:
    one, _two = make_person(1, name="王芳"), make_person(2, name="李娜")
    browser = as_user("clerk")
    assert (add_reader(browser, 1), add_reader(browser, 2)) == (302, 302)
    answer = browser.post(READERS_URL + "view", data={"do": "find", "id_number": f" {id_number(1)} "})
    assert answer.headers["Location"] == f"{READERS_URL}?person={one.id}"
    page = browser.get(answer.headers["Location"]).text
    assert "王芳" in page and "李娜" not in page
    assert id_number(1) not in page
    asked = {"data": {"do": "find", "id_number": id_number(1)}, "headers": {"HX-Request": "true", "HX-Target": "list"}}
    at_once = browser.post(f"{READERS_URL}view?text=李", **asked)
    assert (at_once.status_code, at_once.headers["HX-Push-Url"]) == (200, f"{READERS_URL}?person={one.id}")
    assert 'id="list"' in at_once.text and "<html" not in at_once.text
    assert "王芳" in at_once.text and "李娜" not in at_once.text
    assert id_number(1) not in at_once.text and 'value="李"' not in at_once.text


@pytest.mark.parametrize(("number", "status"), [("", 400), ("61010219850505000", 400), (id_number(2), 404)])
def test_a_number_that_is_wrong_or_of_nobody_in_the_list_is_said_at_its_field(
    clubs: ProgramYear, make_person: MakePerson, as_user: AsUser, number: str, status: int
) -> None:
    make_person(1, name="王芳")
    make_person(2, "610202", name="李娜")
    province, city = as_user("clerk"), as_user("clerk", "6101")
    assert (add_reader(province, 1), add_reader(province, 2)) == (302, 302)
    answer = city.post(READERS_URL + "view", data={"do": "find", "id_number": number})
    assert answer.status_code == status
    assert 'id="id_number-errors"' in answer.text
    assert "王芳" in answer.text
