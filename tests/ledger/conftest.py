"""The ledger is tested with the campaign of the runs."""

from datetime import date

import pytest
from sqlalchemy import select

from core.extensions import db
from core.ledger.models import BudgetLine
from core.ledger.posting import Posting
from core.org.models import Org
from tests.disbursements.conftest import Campaign, campaign, plugins

__all__ = ["campaign", "line_id", "plugins", "posting", "spending"]
DAY = date(2014, 1, 2)


@pytest.fixture
def posting(small_tree: dict[str, Org]) -> Posting:
    """100 yuan of own funds at the province."""
    return Posting(
        scope="test",
        key="1",
        kind="own_funds",
        title="自筹资金",
        description="",
        org_id=small_tree["61"].id,
        org_path="/61/",
        program_year_id=None,
        effective_on=DAY,
        legs=[("102", 10_000), ("402", -10_000)],
    )


@pytest.fixture
def line_id(campaign: Campaign) -> int:
    """The budget line of Xi'an with 10 yuan on it, and as much in the bank."""
    campaign.fund(1_000, "6101")
    return db.session.scalars(select(BudgetLine.id)).one()


@pytest.fixture
def spending(campaign: Campaign, line_id: int) -> Posting:
    """Xi'an spends 6 yuan on winter warmth."""
    return Posting(
        scope="test.spending",
        key="1",
        kind="test.spending",
        title="送温暖支出",
        description="",
        org_id=campaign.orgs["6101"].id,
        org_path="/61/6101/",
        program_year_id=campaign.year.id,
        effective_on=DAY,
        legs=[("50205", 600), ("102", -600)],
    )
