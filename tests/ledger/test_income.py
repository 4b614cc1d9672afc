"""Income and spending by program, source, union and account, against money counted by hand."""

from dataclasses import replace
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from core.audit.services import SYSTEM
from core.disbursements import payout
from core.extensions import db
from core.ledger.balances import Asked, Months
from core.ledger.booking import post, reverse
from core.ledger.holds import hold, settle
from core.ledger.income import by_program
from core.ledger.models import BudgetLine
from core.ledger.posting import Posting
from core.ledger.scope import BookScope
from core.org.models import Org
from core.org.scope import Scope
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY
from tests.ledger.money import fund, give, take

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("english")]
EVERYTHING = BookScope(Scope(("/61/",)))
REPORT = "/2014/61/aid/reports/income-and-spending"


def rows(asked: Asked | None = None) -> dict[tuple[str | None, str], list[int]]:
    """(Program, source) -> own funds, granted, lost, passed down, regained, spent, left."""
    found = by_program(asked or Asked(EVERYTHING, "statutory"))
    return {(row.program_year.program if row.program_year else None, row.source): list(row.fen) for row in found}


@pytest.fixture
def money(campaign: Campaign, posting: Posting) -> Campaign:
    """Union funds: 100 in at the province, 30 to each of two cities, 5 taken back, 6 spent through a hold, 1 undone.

    Donations: 20 in at Xi'an, 3 of them withdrawn. Without a program: 100 in, posted by itself.
    """
    fund(campaign, 10_000, "61")
    given = give(campaign, "61", 6_000, "6101", "6102")
    take(campaign, given[1], 500)
    gift = fund(campaign, 2_000, "6101", source="society", key="gift")
    take(campaign, gift[0], 300, key="withdrawn")
    xian = campaign.orgs["6101"]
    line = db.session.scalars(
        select(BudgetLine.id).where(BudgetLine.org_id == xian.id, BudgetLine.source == "union")
    ).one()
    spent = replace(
        posting, scope="test.spending", key="1", org_id=xian.id, org_path=xian.path, program_year_id=campaign.year.id,
        legs=[("50205", 600), ("102", -600)],
    )  # fmt: skip
    held = hold(campaign.finance, scope="test", key="1", budget_line_id=line, amount_fen=600)
    settle(campaign.finance, hold_id=held.hold.id, posting=spent)
    other = hold(campaign.finance, scope="test", key="2", budget_line_id=line, amount_fen=100)
    wrong = replace(spent, key="2", legs=[("50205", 100), ("102", -100)])
    entry = settle(campaign.finance, hold_id=other.hold.id, posting=wrong).entry
    reverse(campaign.finance, scope="test", key="undo", entry_id=entry.id, effective_on=today(), reason="记错")
    post(SYSTEM, posting)
    return campaign


UNION = [10_000, 6_000, 500, 6_000, 500, 600, 9_400]
SOCIETY = [2_000, 0, 300, 0, 0, 0, 1_700]
ALONE = [10_000, 0, 0, 0, 0, 0, 10_000]


def test_each_source_keeps_its_own_figures(money: Campaign) -> None:
    assert rows() == {("aid", "union"): UNION, ("aid", "society"): SOCIETY, (None, "none"): ALONE}


def test_a_union_or_months_narrow_it(money: Campaign) -> None:
    asked = Asked(EVERYTHING, "statutory", org=money.orgs["6102"])
    assert rows(asked) == {("aid", "union"): [0, 3_000, 500, 0, 0, 0, 2_500]}
    alone = Asked(BookScope(Scope(("/61/6101/",))), "statutory", program_year=money.year)
    assert rows(alone) == {("aid", "union"): [0, 3_000, 0, 0, 0, 600, 2_400], ("aid", "society"): SOCIETY}
    january = Months(DAY.replace(day=1), DAY.replace(day=1))
    assert rows(Asked(EVERYTHING, "statutory", months=january))["aid", "union"][5] == 700  # before it was undone


def test_what_a_run_spends_is_of_the_run_s_source(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    assert rows() == {("aid", "union"): [30_000, 0, 0, 0, 0, run.total_fen, 30_000 - run.total_fen]}


def test_nothing_is_no_row(small_tree: dict[str, Org]) -> None:
    assert rows() == {}


def foot(page: str) -> list[str]:
    cells = page.partition("<tfoot>")[2].partition("</tfoot>")[0].split("</td>")[:-1]
    return [unescape(cell.rpartition(">")[2]) for cell in cells]


def test_the_page_adds_up_and_leads_to_the_year(money: Campaign, as_user: AsUser) -> None:
    browser = as_user("auditor")
    page = browser.get("/ledger/income").text
    assert foot(page)[2:] == ["220.00", "60.00", "8.00", "60.00", "5.00", "6.00", "211.00"]
    assert "No source" in page
    link = unescape(page.partition("<tbody>")[2].partition('href="')[2].partition('"')[0])
    assert link.startswith(REPORT)
    page = browser.get(link).text
    assert foot(page)[2:] == ["120.00", "60.00", "8.00", "60.00", "5.00", "6.00", "111.00"]
    assert "Donations of society" in page
    page = browser.get(f"{REPORT}?by=account").text
    assert "403 Grants from the higher union" in page
    assert "50205 Rights spending: winter warmth" in page
    assert browser.get(f"{REPORT}/download.xlsx?by=level").status_code == 200
    assert browser.get("/ledger/income?first=2014-02&last=2014-01").status_code == 400


def test_a_city_reads_its_own_income(money: Campaign, as_user: AsUser) -> None:
    browser: FlaskClient = as_user("finance", "6102")
    assert foot(browser.get("/ledger/income").text)[2:] == ["0.00", "30.00", "5.00", "0.00", "0.00", "0.00", "25.00"]
    text = browser.get("/ledger/income.csv").data.decode("utf-8-sig")
    assert text.splitlines()[0].startswith("Program year,Source of money,Own funds (yuan)")
    assert ",30,5,0,0,0,25" in text
    assert browser.get("/ledger/income?org=6101").status_code == 404
