"""Sources of money never mix: in lines, allotments and runs, by the service and in the database."""

from datetime import date

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.disbursements import payout, services
from core.disbursements.preview import preview
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.ledger import budgets
from core.ledger.budget_queries import budgets_of, sources_in
from core.ledger.models import SOURCES
from core.org.scope import Scope
from tests.disbursements.conftest import Campaign
from tests.ledger.money import balances, findings, fund, give, line

pytestmark = pytest.mark.services
PROVINCE = Scope(("/61/",))


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentences are compared in English."""
    monkeypatch.setattr("core.web.locale.LANGUAGES", {})
    monkeypatch.setattr("core.web.locale.DEFAULT", "en")


@pytest.mark.parametrize("source", SOURCES)
def test_own_funds_are_booked_under_the_income_of_their_source(campaign: Campaign, source: str) -> None:
    fund(campaign, 500, "61", source=source)
    income = {"finance": "404", "union": "402", "society": "408", "dues": "401"}[source]
    assert balances() == {("61", "102"): 500, ("61", income): -500}
    assert line("61", source) == (500, 0, 0)
    assert [row.source for row in budgets_of(campaign.year, PROVINCE)] == [source]
    assert set(sources_in(campaign.year)) == {"union", source}


def test_money_of_one_source_is_not_given_from_another(campaign: Campaign) -> None:
    fund(campaign, 500, "61", source="finance")
    with pytest.raises(Refused, match="does not cover"):
        give(campaign, "61", 1, "6101", source="union")
    db.session.rollback()
    give(campaign, "61", 500, "6101", source="finance")
    assert (line("61", "finance"), line("6101", "finance")) == ((500, 0, 500), (500, 0, 0))
    assert findings() == []


def test_a_source_that_is_none_is_refused(campaign: Campaign) -> None:
    with pytest.raises(ZhijiaError, match="no source of money") as refusal:
        fund(campaign, 500, "61", source="lottery")
    assert refusal.value.field == "source"


@pytest.mark.parametrize("org", ["from_org_id", "org_id"])
def test_the_database_refuses_an_allotment_across_sources(campaign: Campaign, org: str) -> None:
    fund(campaign, 500, "61", source="finance")
    (row,) = give(campaign, "61", 500, "6101", source="finance")
    other = campaign.orgs["61"].id if org == "from_org_id" else campaign.orgs["6101"].id
    budgets.open_lines(campaign.year, {other: "/61/" if org == "from_org_id" else "/61/6101/"}, "dues")
    copied = text(
        "INSERT INTO core_allotment (program_year_id, key, org_id, org_path, from_org_id, source, weight, amount_fen,"
        " entry_id) SELECT program_year_id, 'x', org_id, org_path, from_org_id, 'dues', 1, 1, entry_id"
        " FROM core_allotment WHERE id = :row"
    )
    with pytest.raises(IntegrityError, match="_source"):
        db.session.execute(copied, {"row": row.id})
    db.session.rollback()


def test_a_run_spends_its_source_only_and_never_another(campaign: Campaign) -> None:
    fund(campaign, 10_000, "6101", "6102", "6111", source="society")
    run = campaign.computed()
    db.session.refresh(run)
    assert (run.state, run.source) == ("failed", "union")
    run = services.create_run(
        campaign.clerk, campaign.year, "aid.everybody", "送温暖", campaign.orgs["61"], source="society"
    )
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    db.session.refresh(run)
    assert run.state == "computed", run.error
    held = run.total_fen
    assert sum(line(code, "society")[1] for code in ("6101", "6102", "6111")) == held > 0
    assert findings() == []
    services.submit(campaign.clerk, run)
    services.decide(campaign.reviewer, run, approve=True, comment="")
    payout.post(campaign.finance, run, date(2014, 1, 24))
    assert sum(line(code, "society")[2] for code in ("6101", "6102", "6111")) == held
    assert findings() == []
    with pytest.raises(DBAPIError, match="never rewritten"):
        db.session.execute(text("UPDATE core_run SET source = 'dues' WHERE source = 'society'"))
    db.session.rollback()


def test_a_cancelled_run_gives_back_to_its_source(campaign: Campaign) -> None:
    fund(campaign, 10_000, "6101", "6102", "6111", source="dues")
    run = services.create_run(
        campaign.clerk, campaign.year, "aid.everybody", "送温暖", campaign.orgs["61"], source="dues"
    )
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    db.session.refresh(run)
    services.cancel(campaign.clerk, run)
    assert [line(code, "dues")[1] for code in ("6101", "6102", "6111")] == [0, 0, 0]


def test_a_run_of_no_source_is_refused(campaign: Campaign) -> None:
    with pytest.raises(ZhijiaError, match="no source of money"):
        services.create_run(campaign.clerk, campaign.year, "aid.everybody", "x", campaign.orgs["61"], source="lottery")


def test_the_preview_of_a_run_counts_what_is_free_of_its_source(campaign: Campaign) -> None:
    fund(campaign, 10_000, "6101", "6102", "6111")
    fund(campaign, 1, "6101", source="dues", key="dues")
    run = services.create_run(
        campaign.clerk, campaign.year, "aid.everybody", "送温暖", campaign.orgs["61"], source="dues"
    )
    seen = preview(campaign.clerk, run)
    assert [(row.org.code, row.free_fen) for row in seen.rows] == [("6101", 1), ("6102", 0), ("6111", 0)]
    assert seen.lacking_fen == seen.total_fen - 1
