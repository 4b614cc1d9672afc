"""Runs and their money: forms sent again, to another run, by another, for another year; sums and days that are none."""

from collections.abc import Callable
from datetime import date

import pytest
from sqlalchemy import func, select, text

from core.disbursements import payout, services
from core.disbursements.models import BankFile, Payment, Run, RunApproval
from core.extensions import db
from core.ledger.models import Entry
from core.users.access import today
from core.users.testing import PASSWORD, AsUser, MakeUser, hold
from tests.disbursements.conftest import Campaign
from tests.disbursements.conftest import campaign as campaign
from tests.disbursements.conftest import plugins as plugins
from tests.disbursements.test_run_pages import at, decision
from tests.disbursements.test_run_pages import funded as funded
from tests.matrix.world import Watch

pytestmark = pytest.mark.services
SIGNED = {"password": PASSWORD}
#: Every page of a run that shows something of it.
PAGES = (
    "", "/progress", "/payments", "/exclusions", "/difference", "/preview", "/bank", "/bank/failed", "/bank/changed",
    "/bank-files/6102", "/bank-files/6102/locked", "/bank/lists/6102", "/bank/lists/6102/handed-out",
)  # fmt: skip
#: Every form of a run.
FORMS = (
    "/compute", "/notice", "/submit", "/withdraw", "/decide", "/post", "/bank-files", "/cancel", "/object", "/bank",
    "/bank/changed", "/bank/follow-up", "/bank-files/6102/locked", "/bank/lists/6102/handed-out",
    "/bank/lists/6102/confirm",
)  # fmt: skip
#: Not an amount of money that anybody has.
NO_SUMS = (
    "-1",
    "0",
    "-0.01",
    "1e309",
    "NaN",
    "-Infinity",
    "99999999999999999999",
    "0.001",
    "1e3",
    "１e9",
    "0x10",
    "1_0",
    "",
)
#: Not a day on which money could move.
NO_DAYS = (
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2014-02-30",
    "2014-1",
    "NaN",
    "-2014-01-01",
    "2013-12-31",
)


def approvals() -> int:
    return db.session.scalar(select(func.count()).select_from(RunApproval)) or 0


def entries() -> int:
    return db.session.scalar(select(func.count()).select_from(Entry)) or 0


def submitted(campaign: Campaign, title: str = "送温暖") -> Run:
    run = campaign.computed(title=title)
    services.submit(campaign.clerk, run)
    return run


@pytest.mark.parametrize("state", ["draft", "computed"])
def test_a_run_of_another_city_is_not_there_on_any_page(funded: Campaign, as_user: AsUser, state: str) -> None:
    """Wants to read who is to be paid elsewhere, before or after it is computed, or to meddle with it."""
    run = funded.draft(org="6102") if state == "draft" else funded.computed(org="6102")
    browsers = [as_user(role, "6101") for role in ("clerk", "reviewer", "finance", "auditor")]
    watch = Watch()
    watch.begin()
    for browser in browsers:
        for page in PAGES:
            answer = browser.get(at(run, page))
            assert answer.status_code in (403, 404), page
            assert "秦安" not in answer.text, page
        for page in FORMS:
            answer = browser.post(at(run, page), data={"seen": "1-1", "decision": "approve", **SIGNED})
            assert answer.status_code in (403, 404), page
    assert set(watch.changed()) <= {"core_audit", "core_second_factor"}


@pytest.mark.parametrize(
    "place", ["2014/6101/aid", "2013/61/aid", "2015/61/aid", "2014/61/aid_again", "2014/61-transport/aid"]
)
def test_a_run_is_not_there_below_another_address(funded: Campaign, as_user: AsUser, place: str) -> None:
    """Wants to pass the gate with the year, the program or the sponsor of which they have rights."""
    run, browser = funded.computed(), as_user("clerk", "61")
    for page in (*PAGES, *FORMS):
        for method in ("GET", "POST"):
            answer = browser.open(f"/{place}/runs/{run.id}{page}", method=method)
            assert answer.status_code in (404, 405), f"{method} {page}"
    assert browser.get(at(run)).status_code == 200


def test_the_same_approval_sent_again_counts_once(funded: Campaign, as_user: AsUser) -> None:
    """Wants one signature to count for two stages, or for the next round: the same form, again and again."""
    run, browser = submitted(funded), as_user(funded.reviewer)
    assert browser.post(at(run, "/decide"), data=decision("approve", "")).status_code == 302
    for _time in range(3):
        assert browser.post(at(run, "/decide"), data=decision("approve", "")).status_code == 409
    assert approvals() == 1


def test_an_approval_does_not_carry_over_a_withdrawal(funded: Campaign, as_user: AsUser) -> None:
    """Wants an old page's approval for a run that was taken back, changed and sent anew."""
    run, browser = submitted(funded), as_user(funded.reviewer)
    services.withdraw(funded.clerk, run)
    assert browser.post(at(run, "/decide"), data=decision("approve", "")).status_code == 409
    services.start_computing(funded.clerk, run)
    funded.run_jobs()
    services.submit(funded.clerk, db.session.get_one(Run, run.id))
    assert browser.post(at(run, "/decide"), data=decision("approve", "", "1-1")).status_code == 409
    assert (approvals(), db.session.get_one(Run, run.id).state) == (0, "submitted")
    assert browser.post(at(run, "/decide"), data=decision("approve", "", "2-1")).status_code == 302


def test_an_approval_is_for_the_run_that_it_was_signed_for(funded: Campaign, as_user: AsUser) -> None:
    """Wants a form made for one run to be taken for another that was not looked at: its number in the body and
    behind the question mark leads nowhere, only the address counts.
    """
    one, browser = submitted(funded, "一"), as_user(funded.reviewer)
    other = funded.draft(title="二")
    data = decision("approve", "") | {"run_id": str(other.id), "id": str(other.id)}
    assert browser.post(f"{at(one, '/decide')}?run_id={other.id}", data=data).status_code == 302
    db.session.expire_all()
    assert (one.state, other.state) == ("approved", "draft")


def test_two_decisions_in_one_form_are_never_more_than_one(funded: Campaign, as_user: AsUser) -> None:
    """Wants to slip a second value past a check that reads the first (parameter pollution)."""
    run, browser = submitted(funded), as_user(funded.reviewer)
    data = decision("return", "退回") | {"decision": ["return", "approve"]}
    browser.post(f"{at(run, '/decide')}?decision=approve", data=data)
    db.session.expire_all()
    assert run.state == "computed"


def test_a_second_role_and_a_new_name_make_nobody_somebody_else(
    funded: Campaign, as_user: AsUser, make_user: MakeUser
) -> None:
    """Wants to approve what they made, by a role given later, at another level, or after being renamed."""
    run = submitted(funded)
    hold(funded.clerk, "reviewer", funded.orgs["61"])
    hold(funded.clerk, "reviewer", funded.orgs["6101"], program="aid")
    funded.clerk.username, funded.clerk.name = "other", "别人"
    db.session.commit()
    browser = as_user(funded.clerk)
    assert browser.post(at(run, "/decide"), data=decision("approve", "")).status_code in (403, 409)
    assert (approvals(), run.state) == (0, "submitted")


def test_a_posting_sent_again_pays_once(funded: Campaign, as_user: AsUser) -> None:
    """Wants money to move twice: the form of the posting, and that of the bank files, sent over and over."""
    run, browser = funded.approved(), as_user(funded.finance)
    data = {"effective_on": today().isoformat(), **SIGNED}
    assert browser.post(at(run, "/post"), data=data).status_code == 302
    before = entries()
    assert [browser.post(at(run, "/post"), data=data).status_code for _time in range(3)] == [409] * 3
    assert entries() == before
    for _time in range(2):
        assert browser.post(at(run, "/bank-files")).status_code == 302
        funded.run_jobs()
    files = select(func.count(), func.sum(BankFile.total_fen)).where(BankFile.run_id == run.id)
    assert db.session.execute(files).one() == (3, 10_000)


@pytest.mark.parametrize("form", ["compute", "submit", "decide", "post", "cancel"])
def test_a_closed_year_takes_no_form_of_an_old_page(funded: Campaign, as_user: AsUser, form: str) -> None:
    """Wants to go on paying in a year that was closed, with a page that was opened before."""
    before: dict[str, Callable[[], Run]] = {"compute": funded.draft, "submit": funded.computed, "post": funded.approved}
    run = before.get(form, lambda: submitted(funded))()
    users = {"decide": funded.reviewer, "post": funded.finance}
    browser, state = as_user(users.get(form, funded.clerk)), run.state
    funded.year.closes_on = date(2014, 12, 31)
    db.session.commit()
    data = decision("approve", "") | {"effective_on": "2014-12-01"}
    assert browser.post(at(run, f"/{form}"), data=data).status_code in (403, 409)
    assert run.state == state


@pytest.mark.parametrize("day", NO_DAYS)
def test_money_moves_on_no_day_that_there_is_not(funded: Campaign, as_user: AsUser, day: str) -> None:
    """Wants to post into a year that nobody looks at, or to break the page."""
    run, before = funded.approved(), entries()
    answer = as_user(funded.finance).post(at(run, "/post"), data={"effective_on": day, **SIGNED})
    assert answer.status_code in (400, 409)
    assert (run.state, entries()) == ("approved", before)


@pytest.mark.parametrize("amount", NO_SUMS)
def test_no_money_is_made_of_what_is_no_sum(funded: Campaign, as_user: AsUser, amount: str) -> None:
    """Wants money from below zero, from beyond the largest number, from what is no number at all."""
    browser, before = as_user(funded.finance), entries()
    budget = "/2014/61/aid/budget/own-funds"
    about = {"org_code": "6101", "key": "k", "description": "自筹", "effective_on": today().isoformat(), **SIGNED}
    fields = about | {"amount": amount, "amount_fen": amount}
    answer = browser.post(budget, data=fields)
    assert answer.status_code in (400, 409), answer.text
    assert entries() == before
    assert browser.post(budget, data=fields | {"amount": "1"}).status_code == 302


def test_what_was_paid_cannot_be_changed_by_hand(funded: Campaign) -> None:
    """Wants to change a sum, a payee, or the run of a payment that is on its way, with a statement of their own."""
    run = funded.approved()
    payout.post(funded.finance, run, today())
    for statement in (
        "UPDATE core_payment SET amount_fen = amount_fen + 1",
        "UPDATE core_leg SET amount_fen = 0",
        "DELETE FROM core_leg",
        "DELETE FROM core_entry",
        "UPDATE core_entry SET effective_on = '2013-01-01'",
        "DELETE FROM core_run_approval",
        "DELETE FROM core_audit",
        "UPDATE core_audit SET action = 'x'",
    ):
        with pytest.raises(Exception, match=r"."):
            db.session.execute(text(statement))
        db.session.rollback()
    assert db.session.scalar(select(func.sum(Payment.amount_fen))) == 10_000


def test_a_page_of_the_bank_answers_before_there_is_anything_for_it(funded: Campaign, as_user: AsUser) -> None:
    """Wants an error page out of a run that was never submitted."""
    run, browser = funded.draft(), as_user(funded.finance)
    assert browser.get(at(run, "/bank/changed")).status_code in (200, 409)
    assert browser.post(at(run, "/bank/changed")).status_code == 409
