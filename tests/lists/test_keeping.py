"""What a reader keeps for a list: the columns, filters with a name. Theirs alone, and also while a year is closed."""

import pytest

from core.audit.services import SYSTEM
from core.extensions import db
from core.lists import services
from core.lists.models import ListView
from core.programs.models import ProgramYear
from core.programs.services import close
from core.users.testing import AsUser, Browser, MakeUser
from tests.lists.conftest import CORNERS_URL, MakeCorner

pytestmark = pytest.mark.services
VIEW = CORNERS_URL + "view"


def heads(browser: Browser) -> list[str]:
    page = browser.get(CORNERS_URL).text
    return [
        title
        for title in ("Union", "Name", "Kind", "Volumes", "Opened")
        if f">{title}<" in page.split("<tbody>")[0].split("<thead>")[1]
    ]


def test_columns_are_remembered_for_the_user_and_the_list(
    clubs: ProgramYear, make_corner: MakeCorner, as_user: AsUser, make_user: MakeUser
) -> None:
    make_corner("职工书屋")
    clerk, other = as_user("clerk"), as_user("clerk")
    assert heads(clerk) == ["Union", "Name", "Kind", "Volumes", "Opened"]
    answer = clerk.post(VIEW + "?sort=volumes", data={"do": "columns", "column": ["volumes", "name", "nothing"]})
    assert answer.headers["Location"] == CORNERS_URL + "?sort=volumes"
    assert heads(clerk) == ["Union", "Name", "Volumes"]
    assert heads(other) == ["Union", "Name", "Kind", "Volumes", "Opened"]
    close(SYSTEM, clubs)
    assert clerk.post(VIEW, data={"do": "columns"}).status_code == 302
    assert heads(clerk) == ["Union", "Name", "Kind", "Volumes", "Opened"]


def test_a_filter_is_saved_followed_replaced_and_deleted(make_corner: MakeCorner, as_user: AsUser) -> None:
    make_corner("职工书屋")
    make_corner("图书馆", kind="library")
    browser, other = as_user("clerk"), as_user("clerk")
    asked = "?f-kind=library&sort=-volumes&person=5"
    assert browser.post(VIEW + asked, data={"do": "save", "name": " 大馆 "}).status_code == 302
    address = f"{CORNERS_URL}?f-kind=library&amp;sort=-volumes"
    assert f'href="{address}">大馆</a>' in browser.get(CORNERS_URL).text
    assert "大馆" not in other.get(CORNERS_URL).text
    assert "职工书屋" in browser.get(CORNERS_URL).text  # what was saved is forced on nobody
    browser.post(VIEW + "?f-kind=corner", data={"do": "save", "name": "大馆"})
    assert db.session.query(ListView).one().filters == {"f-kind": ["corner"]}
    other.post(VIEW, data={"do": "delete", "name": "大馆"})
    assert "大馆" in browser.get(CORNERS_URL).text
    browser.post(VIEW, data={"do": "columns", "column": "name"})
    browser.post(VIEW, data={"do": "delete", "name": "大馆"})
    browser.post(VIEW, data={"do": "delete", "name": ""})
    assert [view.name for view in db.session.query(ListView)] == [""]


def test_a_name_that_is_missing_too_long_or_one_too_many_is_said_at_its_field(
    clubs: ProgramYear, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = as_user("clerk")
    for name in ("", "  ", "名" * 61):
        answer = browser.post(VIEW + "?f-kind=library", data={"do": "save", "name": name})
        assert answer.status_code == 400
        assert 'id="name-errors"' in answer.text
    monkeypatch.setattr(services, "MOST", 1)
    assert browser.post(VIEW, data={"do": "save", "name": "名" * 60}).status_code == 302
    assert browser.post(VIEW, data={"do": "save", "name": "名" * 60}).status_code == 302
    answer = browser.post(VIEW, data={"do": "save", "name": "二"})
    assert answer.status_code == 409
    assert "There are 1 saved filters; delete one first." in answer.text
    assert browser.post(VIEW, data={"do": "nothing"}).status_code == 404


def test_who_may_not_see_the_list_keeps_nothing_for_it(clubs: ProgramYear, as_user: AsUser) -> None:
    url = CORNERS_URL.replace("corners", "readers") + "view"
    assert as_user("leader").post(url, data={"do": "columns", "column": "likes"}).status_code == 403
    assert as_user("clerk").post(VIEW, data={"do": "columns"}, csrf=False).status_code == 400
    assert db.session.query(ListView).count() == 0
