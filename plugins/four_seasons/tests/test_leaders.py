"""The quota of leaders in winter: each visits so many enterprises and workers in hardship, and who lacks is named."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from core.api import SYSTEM, NotFound, Org, ProgramYear, ReportContext, Scope, User, db, fund_from_own
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons.leaders.models import Leader
from plugins.four_seasons.leaders.reports import leaders
from plugins.four_seasons.tests.conftest import MakePeople, id_number, make_year
from plugins.four_seasons.visits.services import Visited, record_visit, undo_visit
from plugins.four_seasons.winter.models import Hardship, Target
from plugins.four_seasons.winter.services import make_list

pytestmark = pytest.mark.services
PAGES = "/2014/61/winter_warmth"
DAY = date(2014, 1, 20)


@pytest.fixture
def winter(app: object, small_tree: dict[str, Org], make_user: MakeUser, make_people: MakePeople) -> ProgramYear:
    """Winter of 2014 with a quota of 2 enterprises and 3 workers; four workers on the list, 西安 has 1,000 yuan."""
    year = make_year(small_tree["61"], leader_enterprises=2, leader_workers=3)
    make_people(4)
    make_list(SYSTEM, year)
    fund_from_own(
        make_user("finance"), year, key="own", amounts={small_tree["6101"].id: 1_000_00}, effective_on=DAY,
        description="",
    )  # fmt: skip
    return year


@pytest.fixture
def clerk(winter: ProgramYear, as_user: AsUser) -> Browser:
    return as_user("clerk")


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    return make_user("finance", "6101")


def add_leader(clerk: Browser, name: str = "张主席", org_code: str = "6101") -> int:
    data = {"org_code": org_code, "name": name, "position": "主席"}
    assert clerk.post(f"{PAGES}/registers/leaders/add", data=data).status_code == 302
    return db.session.scalars(select(Leader.id).where(Leader.name == name)).one()


def visit(finance: User, year: ProgramYear, leader: int | None, number: int, **changes: Any) -> Any:
    given = {
        "key": f"{leader}:{number}:{changes}", "org_code": "6101", "visited_on": DAY, "party": "主席", "kind": "cash",
        "amount_fen": 1, "source": "union", "leader_id": leader, "unit": f"第{number}厂", "again": True,
    }  # fmt: skip
    return record_visit(finance, year, Visited(**{**given, **changes}))


def visit_worker(finance: User, year: ProgramYear, leader: int, number: int, key: str = "") -> Any:
    return visit(finance, year, leader, number, unit="", id_number=id_number(number), key=f"{leader}:w{number}{key}")


def figures(year: ProgramYear, *paths: str) -> dict[str, tuple[int, ...]]:
    """Leader -> enterprises, lacking, workers, lacking, whether they lack any."""
    rows = leaders(ReportContext(program_year=year, scope=Scope(paths or ("/61/",)))).subquery().c
    names = ("enterprises", "enterprises_lacking", "workers", "workers_lacking", "lacking")
    found = db.session.execute(select(rows.name, *(rows[name] for name in names)))
    return {row[0]: tuple(row[1:]) for row in found}


def test_a_leader_lacks_until_the_last_enterprise_and_worker(
    winter: ProgramYear, clerk: Browser, finance: User
) -> None:
    leader = add_leader(clerk)
    assert figures(winter) == {"张主席": (0, 2, 0, 3, 1)}
    visit(finance, winter, leader, 1)
    for number in range(3):
        visit_worker(finance, winter, leader, number)
    assert figures(winter) == {"张主席": (1, 1, 3, 0, 1)}
    last = visit(finance, winter, leader, 2)
    assert figures(winter) == {"张主席": (2, 0, 3, 0, 0)}
    undo_visit(finance, winter, last, key="1", reason="误记")
    assert figures(winter) == {"张主席": (1, 1, 3, 0, 1)}


def test_each_counts_once_and_more_of_one_makes_up_for_nothing(
    winter: ProgramYear, clerk: Browser, finance: User
) -> None:
    leader, other = add_leader(clerk), add_leader(clerk, "李副主席")
    for number in (1, 2, 3):
        visit(finance, winter, leader, number)
    visit(finance, winter, leader, 3, key="again")
    visit_worker(finance, winter, leader, 0)
    visit_worker(finance, winter, leader, 0, "again")
    visit(finance, winter, None, 4)
    assert figures(winter) == {"张主席": (3, 0, 1, 2, 1), "李副主席": (0, 2, 0, 3, 1)}
    assert other != leader


def test_only_workers_on_the_hardship_list_count(
    winter: ProgramYear, clerk: Browser, finance: User, make_people: MakePeople
) -> None:
    make_people(1, start=20)
    leader = add_leader(clerk)
    visit_worker(finance, winter, leader, 20)
    assert figures(winter)["张主席"][2:] == (0, 3, 1)


@pytest.mark.parametrize("quotas", [{"leader_enterprises": 0, "leader_workers": 0}, {}])
def test_without_a_quota_nobody_lacks(winter: ProgramYear, clerk: Browser, quotas: dict[str, int]) -> None:
    kept = {name: value for name, value in winter.settings.items() if not name.startswith("leader_")}
    winter.settings = kept | quotas
    db.session.commit()
    add_leader(clerk)
    assert figures(winter) == {"张主席": (0, 0, 0, 0, 0)}


def test_a_leader_of_another_union_is_not_named(winter: ProgramYear, clerk: Browser, finance: User) -> None:
    for org_code in ("61", "610102", "6102"):
        leader = add_leader(clerk, f"{org_code}主席", org_code)
        with pytest.raises(NotFound, match="no such leader") as refusal:
            visit(finance, winter, leader, 1)
        assert refusal.value.field == "leader"


def test_the_form_offers_leaders_and_the_register_keeps_who_visited(
    winter: ProgramYear, clerk: Browser, finance: User, as_user: AsUser
) -> None:
    leader, browser = add_leader(clerk), as_user(finance)
    add_leader(clerk, "渭南主席", "6102")
    form = browser.get(f"{PAGES}/visits/new").text
    assert "张主席 · 主席" in form
    assert "渭南主席" not in form
    assert 'name="lot"' not in form
    data = {
        "key": "page", "org_code": "6101", "whom": "unit", "unit": "秦岭钢厂", "kind": "cash", "amount": "1",
        "visited_on": "2014-01-20", "party": "三人", "source": "union", "leader": f"{leader}",
    }  # fmt: skip
    page = browser.post(f"{PAGES}/visits/new", data=data).headers["Location"]
    assert "张主席" in browser.get(page).text
    assert figures(winter)["张主席"][0] == 1
    removed = clerk.post(f"{PAGES}/registers/leaders/{leader}/remove", follow_redirects=True)
    assert "Visits name this leader" in removed.text
    again = {"org_code": "6101", "name": "张主席", "position": "主席"}
    assert clerk.post(f"{PAGES}/registers/leaders/add", data=again).status_code == 400


def test_the_pages_are_for_those_in_reach(
    winter: ProgramYear, clerk: Browser, finance: User, assert_walls: Callable[..., None]
) -> None:
    leader = add_leader(clerk)
    paid = visit(finance, winter, leader, 1)
    mine = select(Hardship.id).limit(1), select(Target.id).where(Target.org_path == "/61/6101/")
    hardship, target = (db.session.scalars(one).one() for one in mine)
    rows = {"leaders": leader, "hardship": hardship, "targets": target}
    assert_walls(winter, hidden=["张主席"], rows=rows, visit_id=paid.id, entry_id=paid.entry_id)
    assert "张主席" in clerk.get(f"{PAGES}/reports/leaders_visits?by=name").text
