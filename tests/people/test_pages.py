import re
from html import unescape

import pytest
from flask import Flask
from stdnum.cn.ric import calc_check_digit

from core.audit.services import SYSTEM
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.listing import PEOPLE
from core.people.models import Person
from core.people.queries import by_id_number
from core.people.services import PersonRow, register_people
from core.users.testing import AsUser
from tests.lists.reading import lines

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("on_file")]

EVERYWHERE = Scope.of(["/61/"])


def number(serial: int) -> str:
    first = f"61010219900101{serial:03d}"
    return first + calc_check_digit(first + "0")


@pytest.fixture
def on_file(small_tree: dict[str, Org]) -> None:
    """Three people in Xi'an, one in Tongchuan."""
    rows = [
        PersonRow("610102001", "单小芳", number(1), "13900001234", "6222021234567890123", "长安银行"),
        PersonRow("610102001", "单大伟", number(2)),
        PersonRow("610103", "王芳", number(3)),
        PersonRow("610202", "王刚", number(4)),
    ]
    register_people(SYSTEM, rows, EVERYWHERE)


def names(scope: Scope, **asked: str) -> list[str]:
    return [line.values["name"] for line in lines(PEOPLE, scope, **asked)]


def test_a_person_out_of_scope_is_not_there(app: Flask, as_user: AsUser) -> None:
    person = db.session.query(Person).filter_by(name="王刚").one()
    browser = as_user("clerk", "6101")
    assert browser.get(f"/people/{person.id}").status_code == 404
    assert browser.post("/people/view", data={"do": "find", "id_number": number(4)}).status_code == 404
    assert (
        browser.post("/people/view", data={"do": "find", "id_number": number(9)}).status_code == 404
    )  # nobody at all looks alike
    assert browser.get("/people?org=6102").status_code == 400
    assert "王刚" not in browser.get(f"/people?person={person.id}").text
    assert "王刚" not in browser.get("/people").text
    assert "王刚" not in browser.get("/people?text=wang").text
    assert "王芳" in browser.get("/people?text=wang").text
    assert as_user("clerk").get(f"/people/{person.id}").status_code == 200


def test_who_holds_no_role_sees_nobody(as_user: AsUser) -> None:
    browser = as_user(None)
    assert browser.get("/people").status_code == 403
    assert browser.get("/people/1").status_code == 403
    assert browser.post("/people/view", data={"do": "find", "id_number": number(1)}).status_code == 403


@pytest.mark.parametrize("text", ["", number(1)[:-1], "610102900101001"])
def test_a_wrong_identity_number_is_refused_at_its_field(as_user: AsUser, text: str) -> None:
    answer = as_user("clerk").post("/people/view", data={"do": "find", "id_number": text})
    assert answer.status_code == 400
    assert 'id="id_number-errors"' in answer.text


def test_a_person_is_found_by_identity_number_and_shown_masked(as_user: AsUser) -> None:
    browser = as_user("clerk")
    answer = browser.post("/people/view", data={"do": "find", "id_number": f" {number(1)} "}, follow_redirects=True)
    assert answer.status_code == 200
    assert "单小芳" in answer.text
    for secret in (number(1), "13900001234", "6222021234567890123"):
        assert secret not in answer.text
    for shown in ("*" * 14 + number(1)[-4:], "*******1234", "**** 0123"):
        assert shown in answer.text


def test_names_are_found_by_their_beginning() -> None:
    assert names(EVERYWHERE, text="单") == ["单大伟", "单小芳"]
    assert names(EVERYWHERE, text="shan xiao") == ["单小芳"]
    assert names(EVERYWHERE, text="WF") == ["王芳"]
    assert names(EVERYWHERE, text="wg") == ["王刚"]
    assert names(Scope.of(["/61/6101/"]), text="wg") == []
    assert names(EVERYWHERE, text="wang") == ["王芳", "王刚"]
    assert names(EVERYWHERE, text="芳") == names(EVERYWHERE, text="%") == names(EVERYWHERE, text="w_") == []


def test_a_list_keeps_to_scope_and_org() -> None:
    assert names(EVERYWHERE) == ["单小芳", "单大伟", "王芳", "王刚"]
    assert names(Scope.of(["/61/6101/"])) == ["单小芳", "单大伟", "王芳"]
    assert names(Scope.of(["/61/6101/"]), org="610102") == ["单小芳", "单大伟"]
    assert names(Scope()) == []
    assert by_id_number(Scope.of(["/61/6102/"]), number(1)) is None


@pytest.mark.parametrize("search", ["", "li", "lf"])
def test_long_lists_come_in_pages_without_gap_or_repeat(as_user: AsUser, search: str) -> None:
    register_people(
        SYSTEM, [PersonRow("610102", f"李{'芳' * (n % 3 + 1)}", number(n)) for n in range(10, 111)], EVERYWHERE
    )
    browser, seen, url = as_user("clerk"), list[str](), f"/people?org=610102&text={search}"
    while url:
        page = browser.get(url).text
        seen += re.findall(r'href="/people/(\d+)"', page)
        url = (
            unescape(page.split('rel="next"')[0].rpartition('href="')[2].split('"')[0]) if 'rel="next"' in page else ""
        )
    assert len(seen) == len(set(seen)) == (101 if search else 103)
