"""The lists of registers: whose rows they show, how they are narrowed down and paged, and their download."""

import pytest

from core.extensions import db
from core.lists.queries import PAGE
from core.org.models import Org
from core.programs.models import ProgramYear
from core.registers import services
from core.users.testing import AsUser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, Corner, Reader
from tests.registers.conftest import (
    CORNER,
    PLAIN,
    URL,
    MakePerson,
    add_corner,
    add_reader,
    switch_on,
)

pytestmark = pytest.mark.services


def test_only_registers_that_the_user_may_see_have_a_tab(clubs: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").get("/2014/61/reading_club/").text
    assert f'href="{URL}corners/"' in page
    assert f'href="{URL}readers/"' in page
    page = as_user("leader").get("/2014/61/reading_club/").text
    assert f'href="{URL}corners/"' in page
    assert f'href="{URL}readers/"' not in page


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


def test_the_list_is_narrowed_down_by_union_and_by_name(
    clubs: ProgramYear, as_user: AsUser, make_person: MakePerson
) -> None:
    make_person(1, name="王芳")
    make_person(2, "610202", name="李娜")
    browser = as_user("clerk")
    assert (add_reader(browser, 1), add_reader(browser, 2)) == (302, 302)

    def found(**asked: str) -> list[str]:
        page = browser.get(URL + "readers/", query_string=asked).text
        return sorted((name for name in ("王芳", "李娜") if name in page), key=page.index)

    assert found() == ["王芳", "李娜"]
    assert (found(org="6101"), found(org="610202")) == (["王芳"], ["李娜"])
    assert (found(text="李"), found(text="wangf"), found(text="LN"), found(text="%")) == (
        ["李娜"],
        ["王芳"],
        ["李娜"],
        [],
    )
    assert (found(sort="person"), found(sort="-person")) == (["李娜", "王芳"], ["王芳", "李娜"])
    page = browser.get(URL + "readers/?org=999999&text=王")
    assert page.status_code == 400
    assert "There is no organisation with the code “999999” here." in page.text.split('id="org-errors"')[1]
    assert 'value="王"' in page.text
    assert as_user("clerk", "6101").get(URL + "readers/?org=6102").status_code == 400


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


def test_the_empty_register_says_what_to_do(clubs: ProgramYear, as_user: AsUser) -> None:
    page = as_user("clerk").get(URL + "readers/").text
    assert "The register is empty." in page
    assert "Add the first entry." in page
    page = as_user("leader").get(URL + "corners/").text
    assert "Add the first entry." not in page
