"""Many at once on one run or one budget line, each on a connection of its own: one of them does it, and only once."""

from collections import Counter
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.disbursements import compute, payout, services
from core.disbursements.models import Payment, Run, RunApproval
from core.disbursements.verify_all import checks
from core.errors import Refused
from core.extensions import db
from core.ledger.allotting import Share, allot, take_back
from core.ledger.holds import hold
from core.ledger.models import Allotment, BudgetLine, Entry
from core.org.models import Org
from core.plugin.registry import registry_of
from core.programs.models import ProgramYear
from core.users.models import User
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_verify import DAY
from tests.ledger.test_races import WRITERS, at_once

pytestmark = pytest.mark.services


def computed_by_hand(run_id: int) -> str:
    """All that the jobs of a run do, as one of several workers; the state that it left, or why it was refused."""
    try:
        scheme = registry_of().schemes[db.session.get_one(Run, run_id).scheme]
        for org_id in compute.reserve(run_id, scheme):
            compute.fill(run_id, org_id)
            compute.seal(run_id)
    except Refused as refusal:
        compute.mark_failed(run_id, str(refusal))
        return str(refusal)
    return "done"


def fresh(campaign: Campaign) -> tuple[int, int, int]:
    """Ids of the year, Xi'an and the finance user: objects belong to one connection."""
    return campaign.year.id, campaign.orgs["6101"].id, campaign.finance.id


def test_two_runs_with_common_payees(app: Flask, campaign: Campaign) -> None:
    campaign.fund(20_000, "6101", "6102", "6111")
    runs = [campaign.draft(), campaign.draft()]
    for run in runs:
        services.start_computing(campaign.clerk, run)
    ids = [run.id for run in runs]
    answers = at_once(app, lambda number: computed_by_hand(ids[number % 2]))
    states = Counter(db.session.scalars(select(Run.state)))
    assert states == {"computed": 1, "failed": 1}, answers
    loser = db.session.scalars(select(Run).where(Run.state == "failed")).one()
    assert loser.error == "Somebody of this run has been put into another run meanwhile; compute again."
    lines, payees = db.session.execute(select(func.count(), func.count(Payment.payee_id.distinct()))).one()
    assert lines == payees == 7
    assert list(checks()) == []


def test_one_run_approved_by_eight_at_once(app: Flask, campaign: Campaign, make_user: Callable[..., User]) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed()
    services.submit(campaign.clerk, run)
    run_id, reviewers = run.id, [make_user("reviewer").id for _number in range(WRITERS)]

    def work(number: int) -> str:
        reviewer = db.session.get_one(User, reviewers[number])
        try:
            services.decide(reviewer, db.session.get_one(Run, run_id), approve=True, comment="")
        except Refused as refusal:
            return str(refusal)
        return "approved"

    late = "The run has moved on meanwhile; look at it again."
    assert at_once(app, work) == {"approved": 1, late: WRITERS - 1}
    assert db.session.scalar(select(func.count()).select_from(RunApproval)) == 1
    assert list(checks()) == []


def test_one_run_approved_twice_by_the_same(app: Flask, campaign: Campaign) -> None:
    """Two are asked: one who presses twice is still one."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed()
    run.settings = run.settings | {"approvals_needed": 2}
    services.submit(campaign.clerk, run)
    run_id, reviewer_id = run.id, campaign.reviewer.id

    def work(_number: int) -> str:
        reviewer = db.session.get_one(User, reviewer_id)
        try:
            services.decide(reviewer, db.session.get_one(Run, run_id), approve=True, comment="")
        except Refused as refusal:
            return str(refusal)
        return "approved"

    assert at_once(app, work) == {"approved": 1, "You have decided on this run already.": WRITERS - 1}
    assert db.session.get_one(Run, run_id).state == "submitted"


def test_one_run_posted_by_eight_at_once(app: Flask, campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run_id = campaign.approved().id
    finance_id = campaign.finance.id

    def work(_number: int) -> str:
        try:
            payout.post(db.session.get_one(User, finance_id), db.session.get_one(Run, run_id), DAY)
        except Refused as refusal:
            return str(refusal)
        return "posted"

    assert at_once(app, work) == {"posted": 1, "Only an approved run can be posted.": WRITERS - 1}
    assert db.session.scalar(select(func.count()).where(Entry.scope == "run")) == 3
    assert list(checks()) == []


def test_allotments_against_a_run_on_one_line(app: Flask, campaign: Campaign) -> None:
    """Xi'an has 100 yuan; its people need 57.16, and seven others want 20 of it for the districts."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.draft()
    services.start_computing(campaign.clerk, run)
    run_id, (year_id, giver_id, finance_id) = run.id, fresh(campaign)
    receiver_id = campaign.orgs["610103"].id

    def work(number: int) -> str:
        if number == 0:
            return computed_by_hand(run_id)
        year, finance = db.session.get_one(ProgramYear, year_id), db.session.get_one(User, finance_id)
        giver = db.session.get_one(Org, giver_id)
        try:
            allot(finance, year, key=str(number), giver=giver, shares=[Share(receiver_id, 1)], amount_fen=2_000,
                  effective_on=DAY, description="")  # fmt: skip
        except Refused:
            return "refused"
        return "allotted"

    answers = at_once(app, work)
    is_computed = db.session.get_one(Run, run_id).state == "computed"
    line = db.session.scalars(select(BudgetLine).where(BudgetLine.org_id == giver_id)).one()
    assert line.used_fen == 2_000 * answers["allotted"]
    assert line.held_fen == (5_716 if is_computed else 0)
    # Whoever was refused could not be served: what is left is too little for one more.
    assert answers["allotted"] == (2 if is_computed else 5), answers
    assert list(checks()) == []


def test_taking_back_against_holds_on_one_line(app: Flask, campaign: Campaign) -> None:
    """Ten yuan, and eight who want four of it each: two of them, whichever way."""
    campaign.fund(1_000, "6101")
    line = db.session.scalars(select(BudgetLine)).one()
    line_id, given = line.id, db.session.scalars(select(Allotment.id)).one()
    year_id, _org_id, finance_id = fresh(campaign)

    def work(number: int) -> str:
        year, finance = db.session.get_one(ProgramYear, year_id), db.session.get_one(User, finance_id)
        try:
            if number % 2:
                hold(finance, scope="race", key=str(number), budget_line_id=line_id, amount_fen=400)
                return "held"
            take_back(finance, year, key=str(number), amounts={given: 400}, effective_on=DAY, description="")
        except Refused:
            return "refused"
        return "taken"

    answers = at_once(app, work)
    assert (answers["held"] + answers["taken"], answers["refused"]) == (2, WRITERS - 2)
    line = db.session.get_one(BudgetLine, line_id)
    assert (line.allotted_fen, line.held_fen) == (1_000 - 400 * answers["taken"], 400 * answers["held"])
    assert list(checks()) == []
