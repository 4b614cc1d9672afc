"""The plan of visits: no row is planned with more than the budget line of its source has left."""

import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.api import ProgramYear, User, db
from core.imports import services as imports
from core.users.testing import AsUser, Browser, MakeUser
from plugins.four_seasons.summer.models import VisitPlan
from plugins.four_seasons.summer.registers import VISIT_PLANS
from plugins.four_seasons.tests.conftest import sheet
from plugins.four_seasons.tests.test_visits import VISIT
from plugins.four_seasons.visits.services import Visited, record_visit

pytestmark = pytest.mark.services
PAGE = "/2014/61/summer_coolness/registers/visit_plans/"
PLAN = {
    "org_code": "6101", "unit": "秦岭钢厂", "post": "", "planned_on": "2014-07-20", "amount_fen": "1000",
    "source": "union",
}  # fmt: skip
SENTENCE = "This is more than the union&#39;s budget of this source has left."


@pytest.fixture
def clerk(with_money: ProgramYear, as_user: AsUser) -> Browser:
    return as_user("clerk")


def plan(clerk: Browser, **values: str) -> Any:
    return clerk.post(f"{PAGE}add", data=PLAN | values)


def planned() -> list[int]:
    return list(db.session.scalars(select(VisitPlan.amount_fen).order_by(VisitPlan.id)))


def test_exactly_the_balance_may_be_planned_and_one_fen_more_not(clerk: Browser) -> None:
    more = plan(clerk, amount_fen="1000.01")
    assert more.status_code == 400
    assert SENTENCE in more.text
    assert planned() == []
    assert plan(clerk).status_code == 302
    assert planned() == [1_000_00]


@pytest.mark.parametrize("change", [{"source": "society"}, {"org_code": "6102"}, {"org_code": "610102"}])
def test_each_union_and_source_has_a_balance_of_its_own(clerk: Browser, change: dict[str, str]) -> None:
    refused = plan(clerk, amount_fen="0.01", **change)
    assert refused.status_code == 400
    assert SENTENCE in refused.text
    assert planned() == []


def test_what_was_spent_is_not_there_to_be_planned(
    clerk: Browser, with_money: ProgramYear, make_user: MakeUser
) -> None:
    spent = Visited(
        key="1", org_code="6101", visited_on=VISIT.visited_on.replace(month=6, day=10), party="x", kind="cash",
        amount_fen=400_00, source="union", unit="x",
    )  # fmt: skip
    record_visit(make_user("finance", "6101"), with_money, spent)
    assert plan(clerk, amount_fen="600.01").status_code == 400
    assert plan(clerk, amount_fen="600").status_code == 302


def test_a_plan_that_is_changed_keeps_to_the_balance_too(clerk: Browser) -> None:
    plan(clerk)
    number = db.session.scalars(select(VisitPlan.id)).one()
    found = re.search(r'name="seen" value="([^"]+)"', clerk.get(f"{PAGE}{number}/change").text)
    assert found is not None
    sent = PLAN | {"seen": unescape(found[1])}
    changed = clerk.post(f"{PAGE}{number}/change", data=sent | {"amount_fen": "1000.01"})
    assert changed.status_code == 400
    assert SENTENCE in changed.text
    assert planned() == [1_000_00]
    assert clerk.post(f"{PAGE}{number}/change", data=sent | {"amount_fen": "999.99"}).status_code == 302
    assert planned() == [999_99]


@pytest.mark.parametrize("amount", ["0", "-1", ""])
def test_a_plan_costs_something(clerk: Browser, amount: str) -> None:
    assert plan(clerk, amount_fen=amount).status_code == 400
    plan(clerk)
    with pytest.raises(IntegrityError, match="ck_four_seasons_visit_plan_amount"):
        db.session.execute(text("UPDATE four_seasons_visit_plan SET amount_fen = 0"))


def test_an_import_keeps_to_the_balance_row_by_row(
    with_money: ProgramYear, make_user: MakeUser, run_jobs: Callable[[], int]
) -> None:
    clerk: User = make_user("clerk")
    headings = ("org_code", "unit", "post", "planned_on", "amount_fen", "source")
    rows = [
        ["6101", "秦岭钢厂", "", "2014-07-20", "1000", "union"],
        ["6101", "渭河化工", "", "2014-07-20", "1000.01", "union"],
        ["6101", "泾河水泥", "", "2014-07-20", "0.01", "society"],
        ["6101", "灞河热电", "锅炉", "2014-07-20", "0.01", "union"],
    ]
    one = imports.upload(clerk, VISIT_PLANS, with_money, sheet(rows, headings), "计划.xlsx")
    assert (one.good, one.bad) == (2, 2)
    imports.start_merge(clerk, one, VISIT_PLANS, with_money, only_good=True)
    run_jobs()
    assert list(db.session.scalars(select(VisitPlan.unit).order_by(VisitPlan.unit))) == ["灞河热电", "秦岭钢厂"]


@pytest.mark.parametrize(("used", "is_right"), [(1_000_00, True), (1_000_01, False)])
@pytest.mark.as_owner
def test_the_database_lets_no_line_be_overspent(with_money: ProgramYear, used: int, is_right: bool) -> None:
    statement = text("UPDATE core_budget_line SET used_fen = :used WHERE allotted_fen = 100000")
    if is_right:
        db.session.execute(statement, {"used": used})
        return
    with pytest.raises(IntegrityError, match="ck_core_budget_line_not_overspent"):
        db.session.execute(statement, {"used": used})
