"""The money of a year: raised where nobody above gave it, spent where it left, by source, level and season."""

from datetime import date

import pytest
from sqlalchemy import select

from core.api import SYSTEM, Allotment, Org, ProgramYear, ReportContext, Scope, Share, User, allot, db, fund_from_own
from core.disbursements.testing import PayOut
from core.ledger.allotting import take_back
from core.programs.services import enable
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.overview.reports import money
from plugins.four_seasons.tests.conftest import SETTINGS, MakePeople
from plugins.four_seasons.winter.services import make_list

pytestmark = pytest.mark.services
DAY = date(2014, 1, 10)


@pytest.fixture
def finance(make_user: MakeUser) -> User:
    return make_user("finance")


@pytest.fixture
def overview(program_year: ProgramYear, small_tree: dict[str, Org]) -> ProgramYear:
    """All seasons of 2014 together."""
    return enable(SYSTEM, "four_seasons", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})


def book(finance: User, year: ProgramYear, org: Org, fen: int, source: str) -> None:
    key = f"{org.code}:{source}"
    fund_from_own(
        finance, year, key=key, amounts={org.id: fen}, effective_on=DAY, description="自筹", source=source
    )  # fmt: skip


def figures(year: ProgramYear, *paths: str) -> dict[tuple[str, ...], tuple[int, int]]:
    """Season, source, level, path -> raised and spent, without what comes to nothing."""
    found: dict[tuple[str, ...], tuple[int, int]] = {}
    for row in db.session.execute(money(ReportContext(program_year=year, scope=Scope(paths or ("/61/",))))).mappings():
        key = (row["season"], row["source"], row["level"], row["org_path"])
        raised, spent = found.get(key, (0, 0))
        found[key] = (raised + row["raised_fen"], spent + row["spent_fen"])
    return {key: value for key, value in found.items() if value != (0, 0)}


def test_money_counts_where_it_was_raised_and_where_it_was_spent(
    finance: User,
    overview: ProgramYear,
    program_year: ProgramYear,
    small_tree: dict[str, Org],
    make_people: MakePeople,
    pay_out: PayOut,
) -> None:
    book(finance, program_year, small_tree["61"], 100_00, "finance")
    book(finance, program_year, small_tree["6101"], 30_00, "society")
    given = allot(
        finance, program_year, key="down", giver=small_tree["61"], shares=[Share(small_tree["6101"].id, 1)],
        amount_fen=60_00, effective_on=DAY, description="下拨", source="finance",
    )  # fmt: skip
    assert figures(overview) == {
        ("winter_warmth", "finance", "province", "/61/"): (100_00, 0),
        ("winter_warmth", "society", "city", "/61/6101/"): (30_00, 0),
    }
    take_back(finance, program_year, key="back", amounts={given[0].id: 60_00}, effective_on=DAY, description="收回")
    own = db.session.scalars(select(Allotment).where(Allotment.source == "society")).one()
    take_back(finance, program_year, key="own back", amounts={own.id: 10_00}, effective_on=DAY, description="收回")
    assert figures(overview)["winter_warmth", "society", "city", "/61/6101/"] == (20_00, 0)
    assert figures(overview)["winter_warmth", "finance", "province", "/61/"] == (100_00, 0)
    assert figures(overview, "/61/6102/") == {}
    make_people(1)
    make_list(finance, program_year)
    run = pay_out(program_year, "four_seasons.winter")
    assert figures(overview)["winter_warmth", "union", "city", "/61/6101/"][1] == run.total_fen == 1_000_00


def test_other_years_and_programs_are_not_counted(
    finance: User, overview: ProgramYear, small_tree: dict[str, Org]
) -> None:
    next_year = enable(
        SYSTEM, "winter_warmth", 2015, small_tree["61"], opens_on=date(2015, 1, 1), settings=SETTINGS
    )  # fmt: skip
    book(finance, next_year, small_tree["61"], 5_00, "union")
    assert figures(overview) == {}


def test_the_report_stands_on_the_pages_of_the_year(overview: ProgramYear, as_user: AsUser) -> None:
    reader = as_user("leader", "6101")
    assert "Money by source, level and season" in reader.get("/2014/61/four_seasons/reports/").text
    assert reader.get("/2014/61/four_seasons/reports/money").status_code == 200
