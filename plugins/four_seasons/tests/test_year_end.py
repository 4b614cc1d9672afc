"""The table of a year's end: computed from records, each cell the sum of the rows that it opens."""

import io
import re
from dataclasses import replace
from datetime import date

import pytest
from python_calamine import CalamineWorkbook

from core.api import SYSTEM, Org, ProgramYear, Share, User, allot, db, fund_from_own
from core.disbursements.testing import PayOut
from core.programs.services import disable, enable
from core.users.testing import AsUser, MakeUser
from plugins.four_seasons.overview import queries
from plugins.four_seasons.overview.figures import FIGURES
from plugins.four_seasons.spring.models import Employer, Placement
from plugins.four_seasons.stock.services import Bought, buy_lot
from plugins.four_seasons.summer.forms import THRESHOLDS
from plugins.four_seasons.tests.conftest import MakePeople
from plugins.four_seasons.tests.conftest import id_number as number_of
from plugins.four_seasons.visits.services import Visited, record_visit, undo_visit
from plugins.four_seasons.winter.services import make_list

pytestmark = pytest.mark.services
DAY = date(2014, 1, 20)
PAGE = "/2014/61/four_seasons/year-end"
Table = dict[str, tuple[int | None, int | None]]


@pytest.fixture
def year(program_year: ProgramYear, small_tree: dict[str, Org]) -> ProgramYear:
    """All seasons of 2014 together; winter is on."""
    return enable(SYSTEM, "four_seasons", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})


def visit_of(key: str, org_code: str, *, unit: str = "", id_number: str = "") -> Visited:
    return Visited(key=key, org_code=org_code, visited_on=DAY, party="工会主席", kind="cash", amount_fen=10_00,
                   source="union", unit=unit, id_number=id_number)  # fmt: skip


@pytest.fixture
def winter(
    program_year: ProgramYear, small_tree: dict[str, Org], make_people: MakePeople, make_user: MakeUser
) -> ProgramYear:
    """The province raised 600 yuan and passed 500 of it to 西安, which raised 1,000 and visited two of three workers
    on the list, one of them twice; the province visited two units, 西安 one of them as well.
    """
    finance = make_user("finance")
    orgs = {small_tree["61"].id: 600_00, small_tree["6101"].id: 1_000_00}
    fund_from_own(finance, program_year, key="own", amounts=orgs, effective_on=DAY, description="自筹")
    allot(
        finance, program_year, key="down", giver=small_tree["61"], shares=[Share(small_tree["6101"].id, 1)],
        amount_fen=500_00, effective_on=DAY, description="下拨", source="union",
    )  # fmt: skip
    make_people(2)
    make_people(1, "610202", start=10)
    make_list(SYSTEM, program_year)
    for number, (code, unit) in enumerate([("61", "第一电厂"), ("61", "第二电厂"), ("6101", "第一电厂")]):
        record_visit(finance, program_year, visit_of(str(number), code, unit=unit))
    record_visit(finance, program_year, visit_of("again", "61", unit="第二电厂"))
    for number in (0, 1):
        record_visit(finance, program_year, visit_of(f"worker {number}", "6101", id_number=number_of(number)))
    record_visit(finance, program_year, replace(visit_of("twice", "6101", id_number=number_of(1)), again=True))
    return program_year


def table(user: User, year: ProgramYear) -> Table:
    return {cells.figure.code: (cells.sponsor, cells.everywhere) for cells in queries.table_of(user, year)}


def test_winter_is_counted_at_the_sponsor_and_at_all_levels(
    year: ProgramYear, winter: ProgramYear, make_user: MakeUser
) -> None:
    found = table(make_user("leader"), year)
    assert found["winter_warmth-raised"] == (600_00, 1_600_00)
    assert found["winter_warmth-spent"] == (30_00, 70_00)
    assert found["winter_warmth-workers"] == (0, 2)
    assert found["winter_warmth-units"] == (2, 3)
    assert found["spring_jobs-placed"] == (None, None)


def test_what_was_undone_counts_no_more(year: ProgramYear, winter: ProgramYear, make_user: MakeUser) -> None:
    finance = make_user("finance")
    visit = record_visit(finance, winter, visit_of("more", "61", unit="第三电厂"))
    assert table(finance, year)["winter_warmth-units"] == (3, 4)
    undo_visit(finance, winter, visit, key="undo", reason="没有去")
    assert table(finance, year)["winter_warmth-units"] == (2, 3)
    assert table(finance, year)["winter_warmth-spent"] == (30_00, 70_00)


def test_whom_a_posted_run_pays_is_reached_too(
    year: ProgramYear, winter: ProgramYear, make_user: MakeUser, pay_out: PayOut
) -> None:
    pay_out(winter, "four_seasons.winter")
    assert table(make_user("leader"), year)["winter_warmth-workers"] == (0, 3)


def test_spring_is_counted(
    year: ProgramYear, small_tree: dict[str, Org], make_people: MakePeople, make_user: MakeUser
) -> None:
    spring = enable(SYSTEM, "spring_jobs", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings={})
    (worker,) = make_people(1)
    city = {"program_year_id": spring.id, "org_id": small_tree["6101"].id, "org_path": "/61/6101/"}
    db.session.add(Employer(**city, name="秦岭机械厂", posts=3, form="fair", offered_on=DAY))
    db.session.add(Placement(**city, person_id=worker.id, employer="秦岭机械厂", way="trained", placed_on=DAY))
    db.session.commit()
    leader = make_user("leader")
    found = table(leader, year)
    assert (found["spring_jobs-employers"], found["spring_jobs-placed"]) == ((0, 1), (0, 1))
    assert table(make_user("leader", "610202"), year)["spring_jobs-placed"] == (None, 0)
    disable(SYSTEM, spring)
    assert table(leader, year)["spring_jobs-placed"] == (None, None)


def test_goods_from_stock_count_as_bought_and_a_visit_that_was_undone_no_more(
    year: ProgramYear, small_tree: dict[str, Org], make_user: MakeUser
) -> None:
    finance = make_user("finance")
    summer = enable(SYSTEM, "summer_coolness", 2014, small_tree["61"], opens_on=date(2014, 1, 1), settings=THRESHOLDS)
    fund_from_own(
        finance, summer, key="own", amounts={small_tree["61"].id: 100_00}, effective_on=DAY, description="自筹"
    )  # fmt: skip
    bought = Bought(key="lot", org_code="61", goods="饮用水", measure="箱", quantity=4, price_fen=20_00, source="union",
                    supplier="", bought_on=DAY)  # fmt: skip
    lot = buy_lot(finance, summer, bought)
    given = Visited(
        key="given", org_code="61", visited_on=DAY, party="工会主席", unit="第一工地", lot_id=lot.id, quantity=1
    )
    visit = record_visit(finance, summer, given)
    assert table(finance, year)["summer_coolness-units"] == (1, 1)
    assert table(finance, year)["summer_coolness-spent"] == (80_00, 80_00)
    undo_visit(finance, summer, visit, key="undo", reason="没有去")
    assert table(finance, year)["summer_coolness-units"] == (0, 0)
    assert table(finance, year)["summer_coolness-spent"] == (80_00, 80_00)


def test_each_cell_is_the_sum_of_the_rows_that_it_opens(
    year: ProgramYear, winter: ProgramYear, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PAGE", 1)
    leader = make_user("leader")
    for cells in queries.table_of(leader, year):
        season = queries.seasons_of(year).get(cells.figure.season)
        if season is None:
            continue
        for own, value in ((True, cells.sponsor), (False, cells.everywhere)):
            seen: list[queries.Row] = []
            while rows := queries.rows_of(
                leader, cells.figure, season, own=own, after=(seen[-1].org_path, seen[-1].mark) if seen else None
            ):
                assert len(rows) <= 2
                seen.append(rows[0])
            assert sum(row.value for row in seen) == value, cells.figure.code
            assert len({(row.org_path, row.mark) for row in seen}) == len(seen)


def test_a_city_sees_its_own_and_nothing_of_the_sponsor(
    year: ProgramYear, winter: ProgramYear, make_user: MakeUser
) -> None:
    city = make_user("leader", "6102")
    assert table(city, year)["winter_warmth-raised"] == (None, 0)
    assert table(make_user("leader", "6101"), year)["winter_warmth-units"] == (None, 1)
    figure = next(item for item in FIGURES if item.code == "winter_warmth-units")
    assert queries.rows_of(city, figure, winter, own=True) == []


def test_the_page_opens_the_rows_of_a_cell(year: ProgramYear, winter: ProgramYear, as_user: AsUser) -> None:
    browser = as_user("leader")
    page = browser.get(PAGE).text
    assert f'href="{PAGE}/winter_warmth-units?own=1">2<' in page
    rows = browser.get(f"{PAGE}/winter_warmth-units?own=1").text
    assert "第二电厂" in rows and 'class="stat-value">2<' in rows
    workers = browser.get(f"{PAGE}/winter_warmth-workers").text
    address = re.search(r'"(/2014/61/winter_warmth/registers/hardship/[0-9]+)"', workers)
    assert address is not None and browser.get(address[1]).status_code == 200
    money = browser.get(f"{PAGE}/winter_warmth-raised").text
    assert "Union funds" in money and "1,000.00" in money
    assert browser.get(f"{PAGE}/nothing").status_code == 404
    assert browser.get(f"{PAGE}/spring_jobs-placed").status_code == 404
    assert browser.get(f"{PAGE}/winter_warmth-units?after=only+one").status_code == 200


def test_the_table_is_printed_in_chinese_and_handed_out_as_a_file(
    year: ProgramYear, winter: ProgramYear, as_user: AsUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = as_user("leader")
    sheet = browser.get(f"{PAGE}/print").text
    assert "2014年“四季送”活动情况统计表" in sheet and "制表人" in sheet and "Money" not in sheet
    assert re.search(r">0\.06</td><td[^>]*>0\.16<", sheet)
    book = CalamineWorkbook.from_filelike(io.BytesIO(browser.get(f"{PAGE}.xlsx").data))
    assert book.get_sheet_by_index(0).to_python()[1][3:] == [0.06, 0.16]


def test_who_may_not_see_the_campaigns_is_refused(year: ProgramYear, as_user: AsUser) -> None:
    stranger = as_user(None)
    for page in (PAGE, f"{PAGE}/print", f"{PAGE}.xlsx", f"{PAGE}/winter_warmth-raised"):
        assert stranger.get(page).status_code in (403, 404), page
