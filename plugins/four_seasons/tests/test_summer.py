"""Summer: its settings, the posts in the heat, and which of them are still to be visited."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from core.api import ProgramYear, ReportContext, Scope, User, db, today
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons.stock.services import Bought, buy_lot
from plugins.four_seasons.summer.forms import SummerSettingsForm
from plugins.four_seasons.summer.models import Post, VisitPlan
from plugins.four_seasons.summer.reports import heat
from plugins.four_seasons.tests.conftest import id_number
from plugins.four_seasons.visits.models import Visit
from plugins.four_seasons.visits.services import Visited, record_visit, undo_visit

pytestmark = pytest.mark.services
PAGES = "/2014/61/summer_coolness"
POST = {
    "org_code": "610102", "unit": "秦岭钢厂", "post": "炉前", "workers": "30", "temperature": "38",
    "measured_on": "2014-07-10",
}  # fmt: skip
DAY = date(2014, 7, 15)


@pytest.fixture
def clerk(summer: ProgramYear, as_user: AsUser) -> Browser:
    return as_user("clerk")


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    return make_user("finance", "6101")


def add_post(clerk: Browser, **values: str) -> Any:
    return clerk.post(f"{PAGES}/registers/posts/add", data=POST | values)


def facts(year: ProgramYear, *paths: str) -> list[tuple[str, str, int, int, int]]:
    """Post, what the heat asks for, to be visited, visited, not yet."""
    rows = heat(ReportContext(program_year=year, scope=Scope(paths or ("/61/",)))).subquery().c
    query = select(rows.post, rows.heat, rows.hot, rows.visited, rows.unvisited).order_by(rows.post)
    return [tuple(row) for row in db.session.execute(query)]


def test_each_threshold_counts_from_its_own_degree_on(summer: ProgramYear, clerk: Browser) -> None:
    for degrees in (34, 35, 36, 37, 39, 40):
        assert add_post(clerk, post=f"{degrees}", temperature=f"{degrees}").status_code == 302
    assert facts(summer) == [
        ("34", "none", 0, 0, 0), ("35", "high", 1, 0, 1), ("36", "high", 1, 0, 1), ("37", "limit", 1, 0, 1),
        ("39", "limit", 1, 0, 1), ("40", "stop", 1, 0, 1),
    ]  # fmt: skip
    summer.settings = summer.settings | {"stop_at": 41, "limit_at": 38, "high_at": 36, "visit_from": 40}
    db.session.commit()
    assert [(row[1], row[2]) for row in facts(summer)] == [
        ("none", 0), ("none", 0), ("high", 0), ("high", 0), ("limit", 0), ("limit", 1),
    ]  # fmt: skip
    assert "0 / 1" in clerk.get(f"{PAGES}/").text


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"limit_at": 40}, "Hours are limited at a lower temperature"),
        ({"high_at": 39}, "A high temperature begins below"),
        ({"starts_on": date(2014, 8, 2), "ends_on": date(2014, 8, 1)}, "lies before the first"),
        ({"stop_at": 61}, "between 20 and 60"),
        ({"high_at": 19}, "between 20 and 60"),
    ],
)
def test_thresholds_lie_in_their_order(summer: ProgramYear, change: dict[str, Any], sentence: str) -> None:
    right = {"stop_at": 40, "limit_at": 39, "high_at": 38, "visit_from": 35}
    for values, is_right in ((right, True), (right | change, False)):
        form = SummerSettingsForm(data=values)
        for field in form:
            field.raw_data = [field.data] if field.data is not None else []
        assert form.validate() is is_right, form.errors
    assert sentence in str(form.errors)


def test_a_post_stands_once_at_a_union(summer: ProgramYear, clerk: Browser) -> None:
    assert add_post(clerk).status_code == 302
    again = add_post(clerk, temperature="39")
    assert again.status_code == 400
    assert "The register has an entry with this value already." in again.text
    assert add_post(clerk, post="行车").status_code == 302


@pytest.mark.parametrize("change", [{"workers": "0"}, {"temperature": "81"}, {"temperature": "-1"}, {"post": " "}])
def test_what_a_post_cannot_be(summer: ProgramYear, clerk: Browser, change: dict[str, str]) -> None:
    assert add_post(clerk, **change).status_code == 400
    assert db.session.scalars(select(Post)).all() == []
    assert add_post(clerk, temperature="80", workers="1").status_code == 302
    name, value = next(iter(change.items()))
    with pytest.raises(IntegrityError, match="ck_four_seasons_post"):
        db.session.execute(update(Post).values({name: _typed(value)}))


def _typed(value: str) -> int | str:
    return int(value) if value.strip() else ""


def test_nothing_is_measured_on_a_day_to_come(summer: ProgramYear, clerk: Browser) -> None:
    page = add_post(clerk, measured_on=(today() + timedelta(days=1)).isoformat())
    assert page.status_code == 400
    assert "This day lies in the future." in page.text
    assert add_post(clerk, measured_on=today().isoformat()).status_code == 302


def visit_post(finance: User, year: ProgramYear, **changes: Any) -> Visit:
    post = db.session.scalars(select(Post)).one()
    given = {"key": "1", "org_code": "6101", "visited_on": DAY, "party": "主席", "kind": "cash", "amount_fen": 100_00}
    return record_visit(finance, year, Visited(**{**given, "source": "union", "post_id": post.id, **changes}))


def test_a_post_is_visited_while_a_visit_stands(
    with_money: ProgramYear, clerk: Browser, finance: User, as_user: AsUser
) -> None:
    add_post(clerk)
    visit = visit_post(finance, with_money)
    assert visit_post(finance, with_money).id == visit.id
    assert (visit.unit, facts(with_money)) == ("秦岭钢厂", [("炉前", "limit", 1, 1, 0)])
    post = db.session.scalars(select(Post)).one()
    assert post.visits == 1
    # The county does not see the visit, which the city paid; that its post was visited it does.
    assert "1 / 1" in as_user("leader", "610102").get(f"{PAGES}/").text
    removed = clerk.post(f"{PAGES}/registers/posts/{post.id}/remove", follow_redirects=True)
    assert "This post was visited; undo its visits first." in removed.text
    undo_visit(finance, with_money, visit, key="1", reason="误记")
    assert facts(with_money) == [("炉前", "limit", 1, 0, 1)]
    assert db.session.get_one(Visit, visit.id).undone_on == today()
    clerk.post(f"{PAGES}/registers/posts/{post.id}/remove")
    assert db.session.scalars(select(Post)).all() != []  # the visit that was undone still names it


def test_a_post_of_others_is_not_visited(
    with_money: ProgramYear, clerk: Browser, finance: User, as_user: AsUser
) -> None:
    add_post(clerk, org_code="610202")
    with pytest.raises(Exception, match="have no such post") as refusal:
        visit_post(finance, with_money)
    assert getattr(refusal.value, "field", "") == "post"
    with pytest.raises(Exception, match="have no such post"):
        visit_post(finance, with_money, post_id=4711)


FORM = {
    "key": "page", "org_code": "6101", "whom": "unit", "unit": "", "kind": "cash", "visited_on": "2014-07-15",
    "party": "市总工会主席", "amount": "100", "source": "union",
}  # fmt: skip


def test_the_form_offers_posts_and_shows_them(
    with_money: ProgramYear, clerk: Browser, finance: User, as_user: AsUser
) -> None:
    add_post(clerk)
    post, browser = db.session.scalars(select(Post)).one(), as_user(finance)
    form = browser.get(f"{PAGES}/visits/new?post={post.id}").text
    assert "秦岭钢厂 · 炉前" in form
    assert 'name="leader"' not in form
    nothing = browser.post(f"{PAGES}/visits/new", data=FORM)
    assert nothing.status_code == 400
    assert "Please enter the name of the unit." in nothing.text
    page = browser.post(f"{PAGES}/visits/new", data=FORM | {"post": f"{post.id}"}).headers["Location"]
    assert "炉前" in browser.get(page).text
    worker = FORM | {"key": "2", "whom": "person", "id_number": id_number(40), "post": f"{post.id}"}
    assert "Nobody with this identity number" in browser.post(f"{PAGES}/visits/new", data=worker).text
    assert browser.post(f"{PAGES}/visits/new", data=FORM | {"post": "x"}).status_code == 400


def test_a_visit_of_tomorrow_is_refused_by_form_service_and_table(
    with_money: ProgramYear, finance: User, as_user: AsUser
) -> None:
    tomorrow = today() + timedelta(days=1)
    page = as_user(finance).post(f"{PAGES}/visits/new", data=FORM | {"unit": "x", "visited_on": tomorrow.isoformat()})
    assert page.status_code == 400
    assert "lies in the future" in page.text
    given = Visited(
        key="1", org_code="6101", visited_on=tomorrow, party="x", kind="cash", amount_fen=1, source="union", unit="x"
    )  # fmt: skip
    with pytest.raises(Exception, match="lies in the future") as refusal:
        record_visit(finance, with_money, given)
    assert getattr(refusal.value, "field", "") == "visited_on"
    as_user(finance).post(f"{PAGES}/visits/new", data=FORM | {"unit": "x", "visited_on": today().isoformat()})
    assert db.session.scalars(select(Visit.visited_on)).all() == [today()]
    with pytest.raises(IntegrityError, match="ck_four_seasons_visit_visited_on"):
        db.session.execute(text("UPDATE four_seasons_visit SET visited_on = visited_on + 1"))


def test_the_pages_are_for_those_in_reach(
    with_money: ProgramYear, clerk: Browser, finance: User, assert_walls: Callable[..., None]
) -> None:
    add_post(clerk, org_code="6101")
    plan = {"org_code": "6101", "unit": "灞河热电", "planned_on": "2014-07-20", "amount_fen": "1", "source": "union"}
    assert clerk.post(f"{PAGES}/registers/visit_plans/add", data=plan).status_code == 302
    visit = visit_post(finance, with_money)
    bought = Bought(
        key="1", org_code="6101", goods="绿豆汤料", measure="箱", quantity=1, price_fen=1, source="union", supplier="",
        bought_on=DAY,
    )  # fmt: skip
    lot = buy_lot(finance, with_money, bought)
    rows = {
        "posts": db.session.scalars(select(Post.id)).one(),
        "visit_plans": db.session.scalars(select(VisitPlan.id)).one(),
    }
    asked = {"visit_id": visit.id, "lot_id": lot.id, "entry_id": lot.entry_id}
    assert_walls(with_money, hidden=["秦岭钢厂", "炉前", "灞河热电", "绿豆汤料"], rows=rows, **asked)
    assert clerk.get(f"{PAGES}/posts").headers["Location"].endswith("/registers/posts/")
    assert "秦岭钢厂" in clerk.get(f"{PAGES}/reports/heat?by=unit&by=post").text
