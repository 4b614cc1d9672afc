"""What stands behind the question mark of a list: names of columns, places, patterns; no more is shown than before."""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from html import unescape

import pytest

from core.extensions import db
from core.lists import queries
from core.lists.models import ListView
from core.users.testing import AsUser, Browser
from tests.lists.conftest import CORNERS_URL, MakeCorner
from tests.lists.conftest import clubs as clubs
from tests.lists.conftest import english as english
from tests.lists.conftest import make_corner as make_corner
from tests.lists.conftest import make_person as make_person
from tests.lists.conftest import plugins as plugins

pytestmark = pytest.mark.services
NOT_SORTED_BY = (
    "id; DROP TABLE core_person",
    "(SELECT password_hash FROM core_user LIMIT 1)",
    "org_path",
    "password_hash",
    "-",
    "--name",
    "name,(SELECT 1)",
    "name desc",
    "1",
    "__class__",
    "metadata",
    "registry",
    "person.name",
    "id_number_digest",
    "",
    "\0",
    "名",
)
LISTS = (
    CORNERS_URL,
    "/people",
    "/admin/users/",
    "/orgs/list",
    "/ledger/activities",
    "/admin/audit/",
    "/exports/",
    "/jobs/",
)


@pytest.fixture
def corners(make_corner: MakeCorner) -> None:
    """Three of the county, one beside it with a secret price."""
    for name, cost in (("一号", 100), ("二号", 200), ("三号", 300)):
        make_corner(name, cost_fen=cost)
    make_corner("秘密", "610103", cost_fen=777)


def names(page: str) -> list[str]:
    return re.findall("[一二三]号|秘密", page.partition("<tbody")[2].partition("</tbody")[0])


@pytest.mark.parametrize("sort", NOT_SORTED_BY)
def test_a_list_is_sorted_by_its_columns_only(corners: None, as_user: AsUser, sort: str) -> None:
    """Wants to put SQL, or a column that is not shown, where the name of a column is taken."""
    browser = as_user("clerk", "610102")
    answer = browser.get(CORNERS_URL, query_string={"sort": sort})
    assert answer.status_code in (200, 400)
    assert "秘密" not in answer.text
    wide = as_user("admin", "61")
    for path in LISTS:
        answer = wide.get(path, query_string={"sort": sort, "order": sort})
        assert answer.status_code in (200, 400), path


def place(browser: Browser, query: str) -> str:
    """The place that the way on of a list names."""
    page = browser.get(f"{CORNERS_URL}?{query}").text
    return unescape(re.findall(r"after=([\w-]+)", page)[0])


def changed(token: str, **parts: object) -> str:
    name, value, row = json.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    known = {"name": name, "value": value, "row": row} | parts
    text = json.dumps(list(known.values())).encode()
    return urlsafe_b64encode(text).decode().rstrip("=")


def test_a_place_leads_no_further_than_ones_own_rows(
    corners: None, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wants to page into the rows of others: with the place of somebody else's page, of another order, of a made-up
    row or value.
    """
    monkeypatch.setattr(queries, "PAGE", 1)
    mine, other = as_user("clerk", "610102"), as_user("leader", "6101")
    token = place(other, "sort=-cost_fen")
    for told in (
        token,
        changed(token, value=800),
        changed(token, row=2**62),
        changed(token, value=-1),
        changed(token, value=None),
    ):
        for way in ("after", "before"):
            answer = mine.get(CORNERS_URL, query_string={"sort": "-cost_fen", way: told})
            assert answer.status_code in (200, 400)
            assert "秘密" not in answer.text
    wrong = [changed(token, **part) for part in ({"name": "org_path"}, {"value": "x"}, {"row": "1"}, {"row": -1})]
    for told in (*wrong, changed(token, value={"a": 1}), "A" * 3000, "null"):
        assert mine.get(CORNERS_URL, query_string={"sort": "-cost_fen", "after": told}).status_code == 400, told


@pytest.mark.parametrize("text", ["%", "_", "__", "%%", "\\", "\\%", "一%", "[一二]号", ".*", "一_", "' OR ''='"])
def test_what_is_searched_for_is_no_pattern(corners: None, as_user: AsUser, text: str) -> None:
    """Wants everything at once, or a search so dear that the site stands still, by the signs that LIKE knows."""
    browser = as_user("clerk", "610102")
    for how in ("has", "begins"):
        whole, none = (
            browser.get(CORNERS_URL, query_string={"f-name": said, "f-name-how": how}).text for said in ("一", text)
        )
        assert names(whole) == ["一号"]
        assert names(none) == []


def test_nothing_is_asked_by_what_one_may_not_see(corners: None, as_user: AsUser) -> None:
    """Wants to learn a value that is not shown by filtering for it and looking whether the list is empty (an oracle):
    digests, numbers, passwords, and what a neighbour paid.
    """
    browser = as_user("clerk", "610102")

    def shown(path: str, **query: str) -> list[str]:
        page = browser.get(path, query_string={"totals": "1", **query}).text
        return sorted(re.findall(r"<td[^>]*>(.*?)</td>", page, re.DOTALL))

    for path in (CORNERS_URL, "/people"):
        plain = shown(path)
        for column in (
            "id_number_digest",
            "bank_account_tail",
            "password_hash",
            "org_path",
            "created_by",
            "program_year_id",
            "person.id",
        ):
            for how in ({}, {f"f-{column}-how": "begins"}, {f"f-{column}-from": "0"}):
                assert shown(path, **({f"f-{column}": "a"} | how)) == plain, column
    without, with_price = (
        shown(CORNERS_URL, **{"f-cost_fen-from": price, "f-cost_fen-to": price}) for price in ("7.76", "7.77")
    )
    assert without == with_price


def test_a_saved_list_is_ones_own(corners: None, as_user: AsUser) -> None:
    """Wants to change or to take away what somebody else keeps for a list, or to keep a thing for a list of others."""
    mine, other = as_user("clerk", "610102"), as_user("clerk", "610103")
    view = f"{CORNERS_URL}view"
    mine.post(view, data={"do": "save", "name": "我的", "query": "sort=name"})
    kept = [(row.user_id, row.id) for row in db.session.query(ListView)]
    other.post(view, data={"do": "delete", "name": "我的", "user_id": str(kept[0][0] if kept else 1)})
    other.post(view, data={"do": "columns", "column": ["password_hash", "org_path", "name"], "user_id": "1"})
    assert {row.user_id for row in db.session.query(ListView)} <= {
        kept[0][0] if kept else 0,
        other.user.id if other.user else 0,
    }
    assert [(row.user_id, row.id) for row in db.session.query(ListView) if (row.user_id, row.id) in kept] == kept
    assert "password_hash" not in other.get(CORNERS_URL).text


@pytest.mark.parametrize(
    "query", [{"page": "9" * 400}, {"limit": "1000000000"}, {"per_page": "-1"}, {"offset": "9" * 30}]
)
def test_a_page_is_never_larger(corners: None, as_user: AsUser, query: dict[str, str]) -> None:
    """Wants the whole table on one page, or a jump so far that counting takes an hour."""
    browser = as_user("clerk", "610102")
    for path in (CORNERS_URL, "/people"):
        assert browser.get(path, query_string=query).status_code in (200, 400)
    assert names(browser.get(CORNERS_URL, query_string=query).text) in ([], names(browser.get(CORNERS_URL).text))
