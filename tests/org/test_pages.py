import pytest
from sqlalchemy import update

from core.extensions import db
from core.org.listing import ORGS
from core.org.models import Org
from core.org.queries import count_below, page_below, visible
from core.org.scope import Scope
from core.pinyin import spell
from core.users.testing import AsUser
from tests.lists.reading import lines

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("small_tree")]


def codes(scope: Scope, **search: str) -> list[str]:
    return [line.values["code"] for line in lines(ORGS, scope, **search)]


@pytest.fixture
def spelled(small_tree: dict[str, Org]) -> None:
    for org in small_tree.values():
        org.pinyin, org.initials = spell(org.short_name)
    db.session.commit()


def test_an_org_out_of_scope_is_not_there(as_user: AsUser) -> None:
    browser = as_user("clerk", "6101")
    assert browser.get("/orgs/6101").status_code == 200
    assert browser.get("/orgs/610102").status_code == 200
    for code in ("61", "6102", "610202", "61-transport", "nowhere"):
        assert browser.get(f"/orgs/{code}").status_code == 404
    assert 'href="/orgs/6102"' not in browser.get("/orgs/list?text=铜川").text
    assert 'href="/orgs/6102"' in as_user("clerk").get("/orgs/list?text=铜川").text


def test_who_holds_no_role_sees_no_orgs(as_user: AsUser) -> None:
    browser = as_user(None)
    assert browser.get("/orgs").status_code == 403
    assert browser.get("/orgs/61").status_code == 403


def test_the_list_begins_where_the_user_may_look(as_user: AsUser) -> None:
    assert as_user("clerk", "6101").get("/orgs").headers["Location"].endswith("/orgs/6101")
    industry = as_user("clerk", "61-transport")
    page = industry.get("/orgs").text
    assert "陕西省交通运输工会" in page
    assert "新城公交公司工会" in page
    assert industry.get("/orgs/610102-bus").status_code == 200


def test_a_page_shows_the_way_down_and_what_is_below(as_user: AsUser) -> None:
    page = as_user("leader").get("/orgs/6101").text
    assert 'href="/orgs/61"' in page
    assert "新城区总工会" in page and "碑林区总工会" in page
    assert "西一路街道工会" not in page
    assert 'href="/orgs/6102"' not in page


def test_an_industrial_union_shows_who_belongs_to_it(as_user: AsUser) -> None:
    browser = as_user("leader")
    assert "新城公交公司工会" in browser.get("/orgs/61-transport").text
    assert "陕西省交通运输工会" in browser.get("/orgs/610102-bus").text
    assert "陕西省交通运输工会" not in as_user("leader", "6101").get("/orgs/610102-bus").text


@pytest.mark.usefixtures("spelled")
def test_orgs_are_found_by_name_pinyin_initials_code_and_level() -> None:
    everywhere = Scope.of(["/61/"])
    assert codes(everywhere, text="西安") == ["6101"]
    assert codes(everywhere, text="Xi an") == ["6101"]
    assert codes(everywhere, text="xcq") == ["610102"]
    assert codes(everywhere, text="610102") == ["610102", "610102-bus", "610102001"]
    assert codes(everywhere, text="新城", **{"f-level": "county"}) == ["610102"]
    assert codes(everywhere, text="%") == []
    assert codes(everywhere, text="61", **{"f-level": "city"}) == ["61-transport", "6101", "6102", "6111"]
    assert codes(Scope.of(["/61/6102/"]), text="区") == ["610202"]
    assert codes(Scope(), text="区") == []


def test_long_lists_come_in_pages_without_gap_or_repeat(small_tree: dict[str, Org]) -> None:
    county = small_tree["610103"]
    for number in range(101):
        db.session.add(
            Org(code=f"610103{number:03}", name=f"第{number}街道工会", short_name="", pinyin="", initials="",
                level="township", parent_id=county.id, path=f"{county.path}610103{number:03}/")
        )  # fmt: skip
    db.session.commit()
    scope = Scope.of(["/61/"])
    seen, after, sizes = [], "", []
    while True:
        page = page_below(scope, county, after=after)
        seen += [row.org.code for row in page.rows]
        sizes.append(len(page.rows))
        if page.next is None:
            break
        after = page.next
    assert sizes == [50, 50, 1]
    assert seen == [f"610103{number:03}" for number in range(101)]


def test_a_full_last_page_has_no_next(small_tree: dict[str, Org]) -> None:
    county = small_tree["610103"]
    for number in range(50):
        db.session.add(
            Org(code=f"610103{number:03}", name="某街道工会", short_name="", pinyin="", initials="",
                level="township", parent_id=county.id, path=f"{county.path}610103{number:03}/")
        )  # fmt: skip
    db.session.commit()
    assert page_below(Scope.of(["/61/"]), county).next is None


def test_an_org_given_up_is_marked(as_user: AsUser, small_tree: dict[str, Org]) -> None:
    browser = as_user("leader")
    marked = "bg-secondary-lt"
    before = browser.get("/orgs/6101").text.count(marked)
    db.session.execute(update(Org).where(Org.code == "610103").values(active=False))
    db.session.commit()
    assert browser.get("/orgs/6101").text.count(marked) == before + 1
    assert visible(Scope.of(["/61/"]), "610103") is not None


def test_industry_unions_are_not_counted_among_the_cities(small_tree: dict[str, Org]) -> None:
    assert list(count_below("/61/").items()) == [
        ("city", 3), ("county", 3), ("township", 1), ("enterprise", 1), ("industry", 1),
    ]  # fmt: skip
    assert count_below("/61/6102/") == {"county": 1}
