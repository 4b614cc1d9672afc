"""The parts of a list's page: what htmx asks for, the count and the sums, the rows that are chosen."""

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from core.errors import ZhijiaError
from core.extensions import db
from core.lists.queries import count_of, rows_of
from core.lists.types import Action
from core.lists.views import chosen
from core.org.models import Org
from core.org.scope import Scope
from core.programs.models import ProgramYear
from core.registers import views as register_views
from core.registers.listing import listing_of
from core.users.testing import AsUser
from tests.lists.conftest import CORNERS_URL, MakeCorner
from tests.plugins_for_tests.reading_club.registers import CORNERS

pytestmark = pytest.mark.services
LIST = {"HX-Request": "true", "HX-Target": "list"}
TOTALS = {"HX-Request": "true", "HX-Target": "list-totals"}


def test_htmx_gets_the_list_alone_and_its_faults_in_the_list(make_corner: MakeCorner, as_user: AsUser) -> None:
    make_corner("职工书屋")
    browser = as_user("clerk")
    part = browser.get(CORNERS_URL, headers=LIST)
    assert part.text.lstrip().startswith('<div id="list"')
    assert "职工书屋" in part.text
    assert "HX-Retarget" not in part.headers
    wrong = browser.get(CORNERS_URL + "?f-volumes-from=x", headers=LIST)
    assert (wrong.status_code, wrong.headers["HX-Retarget"]) == (400, "#list")
    assert "is not a number" in wrong.text
    back = browser.get(CORNERS_URL, headers=LIST | {"HX-History-Restore-Request": "true"})
    assert "<html" in back.text


def test_the_foot_counts_and_adds_up_what_the_reader_may_see(
    clubs: ProgramYear, make_corner: MakeCorner, as_user: AsUser
) -> None:
    make_corner("一", volumes=1200, cost_fen=100_50)
    make_corner("二", volumes=34, cost_fen=None)
    make_corner("三", "610202", volumes=5000, cost_fen=900_00)
    city, province = as_user("leader", "6101"), as_user("leader")
    foot = city.get(CORNERS_URL, headers=TOTALS).text
    assert foot.lstrip().startswith('<tfoot id="list-totals">')
    assert "2 rows" in foot and ">1,234<" in foot and ">100.50<" in foot
    assert "<tbody>" not in foot
    assert "3 rows" in province.get(CORNERS_URL, headers=TOTALS).text
    assert "1 row<" in province.get(CORNERS_URL + "?f-volumes-from=1201", headers=TOTALS).text
    page = city.get(CORNERS_URL).text
    assert "2 rows" not in page
    assert f'href="{CORNERS_URL}?totals=1"' in page
    assert "2 rows" in city.get(CORNERS_URL + "?totals=1").text  # without JavaScript
    wrong = city.get(CORNERS_URL + "?f-volumes-from=x", headers=TOTALS)
    assert (wrong.status_code, "<tfoot" in wrong.text, "HX-Retarget" in wrong.headers) == (400, False, False)
    assert "list-totals" not in city.get(CORNERS_URL + "?f-volumes-from=x").text


def test_the_chosen_rows_are_those_of_the_list_and_no_others(
    app: Flask, clubs: ProgramYear, make_corner: MakeCorner, small_tree: dict[str, Org]
) -> None:
    one, two, others = make_corner("一"), make_corner("二", kind="library"), make_corner("三", "610202")
    listing, xian = listing_of(CORNERS, clubs), Scope(("/61/6101/",))

    def ids(query: str, **sent: object) -> list[int]:
        with app.test_request_context("/?" + query, method="POST", data=MultiDict(sent)):
            asked = chosen(listing, xian)
            found = db.session.scalars(rows_of(listing, xian, asked).order_by("id")).all()
            assert count_of(listing, xian, asked) == len(found)
            return list(found)

    assert ids("", row=[str(one.id), str(others.id), "x", "9" * 30]) == [one.id]
    assert ids("", all="1") == [one.id, two.id]
    assert ids("f-kind=library", all="1") == [two.id]
    assert ids("f-kind=library", row=[str(one.id)]) == []
    for query, sent in (("", {}), ("", {"row": "x"}), ("f-kind=palace", {"all": "1"})):
        with pytest.raises(ZhijiaError):
            ids(query, **sent)


def test_a_bar_offers_what_can_be_done_with_the_rows(
    make_corner: MakeCorner, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = make_corner("职工书屋")
    browser = as_user("clerk")
    assert 'name="row"' not in as_user("leader").get(CORNERS_URL).text
    action = Action(title="Move them", url="/move")
    monkeypatch.setattr(register_views, "batch_actions", lambda *_given: [action])
    page = browser.get(CORNERS_URL + "?f-kind=corner").text
    assert f'name="row" value="{row.id}" form="list-batch"' in page
    assert 'name="all" value="1"' in page
    assert 'formaction="/move?f-kind=corner"' in page


def test_unions_are_offered_while_their_code_is_typed_as_far_as_one_may_see(
    small_tree: dict[str, Org], as_user: AsUser
) -> None:
    address = "/lists/orgs?org=6102"
    assert 'value="610202"' in as_user("clerk").get(address).text
    assert 'value="610202"' not in as_user("clerk", "6101").get(address).text
    assert as_user(None).get(address).text.strip() == ""
    assert as_user("clerk").get("/lists/orgs?org=%00").text.strip() == ""
