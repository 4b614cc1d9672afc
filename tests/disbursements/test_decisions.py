"""Notice, objection, submitting, approving, posting, cancelling: who may do what, when."""

from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.audit.services import SYSTEM
from core.disbursements import payout, services
from core.disbursements.models import Exclusion, Payment, Run, RunApproval, RunChunk
from core.errors import Forbidden, NotFound, Refused, ZhijiaError
from core.extensions import db
from core.ledger.models import Activity, BudgetLine, Entry, Leg
from core.notices.calendar import add_working_days
from core.people.models import Person
from core.programs.services import change_settings
from core.users.access import today
from core.users.testing import MakeUser, hold
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
CITIES = ("6101", "6102", "6111")
DAY = date(2014, 1, 24)


@pytest.fixture
def funded(campaign: Campaign) -> Campaign:
    """The campaign with enough money in each city."""
    campaign.fund(10_000, *CITIES)
    return campaign


def with_settings(campaign: Campaign, **settings: object) -> None:
    """Change the settings of the year."""
    change_settings(
        SYSTEM, campaign.year, {**campaign.year.settings, **settings}, version=campaign.year.settings_version
    )


def budget() -> tuple[int, int]:
    """Held and used over all lines."""
    lines = db.session.scalars(select(BudgetLine)).all()
    return sum(line.held_fen for line in lines), sum(line.used_fen for line in lines)


def test_nobody_approves_their_own_run(funded: Campaign, make_user: MakeUser) -> None:
    both = make_user("clerk")
    hold(both, "reviewer", funded.orgs["61"])
    run = services.create_run(both, funded.year, "aid.everybody", "x", funded.orgs["61"])
    services.start_computing(both, run)
    funded.run_jobs()
    services.submit(both, run)
    with pytest.raises(Refused, match=r"不得审批本人|own work"):
        services.decide(both, run, approve=True, comment="")
    assert run.state == "submitted"


def test_who_submitted_a_run_does_not_approve_it_either(funded: Campaign, make_user: MakeUser) -> None:
    both = make_user("clerk")
    hold(both, "reviewer", funded.orgs["61"])
    run = funded.computed()
    services.submit(both, run)
    with pytest.raises(Refused, match=r"不得审批本人|own work"):
        services.decide(both, run, approve=True, comment="")


def test_the_database_refuses_own_approval_too(funded: Campaign) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    db.session.add(RunApproval(run_id=run.id, round=1, stage=1, user_id=funded.clerk.id, approved=True, comment=""))
    with pytest.raises(DBAPIError, match="own work"):
        db.session.flush()


def test_the_database_refuses_an_approved_run_without_approvals(funded: Campaign) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    run.state = "approved"
    with pytest.raises(DBAPIError, match="lacks approvals"):
        db.session.flush()


def test_a_clerk_may_not_approve(funded: Campaign, make_user: MakeUser) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    with pytest.raises(Forbidden):
        services.decide(make_user("clerk"), run, approve=True, comment="")


def test_a_reviewer_of_one_city_may_not_approve_for_the_province(funded: Campaign, make_user: MakeUser) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    with pytest.raises(Forbidden):
        services.decide(make_user("reviewer", "6101"), run, approve=True, comment="")


def test_a_return_needs_a_comment_and_opens_the_run_again(funded: Campaign) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    with pytest.raises(ZhijiaError) as refusal:
        services.decide(funded.reviewer, run, approve=False, comment=" ")
    assert refusal.value.field == "comment"
    services.decide(funded.reviewer, run, approve=False, comment="名单有误")
    assert run.state == "computed"
    services.submit(funded.clerk, run)
    services.decide(funded.reviewer, run, approve=True, comment="")
    assert (run.state, run.round) == ("approved", 2)


def test_two_approvals_come_from_two_people(funded: Campaign, make_user: MakeUser) -> None:
    with_settings(funded, approvals_needed=2)
    run = funded.approved()
    assert run.state == "submitted"
    with pytest.raises(Refused, match=r"已对该批次|decided"):
        services.decide(funded.reviewer, run, approve=True, comment="")
    services.decide(make_user("reviewer"), run, approve=True, comment="")
    assert run.state == "approved"


def test_approvals_are_pinned_when_the_run_is_submitted(funded: Campaign) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    with_settings(funded, approvals_needed=3)
    services.decide(funded.reviewer, run, approve=True, comment="")
    assert run.state == "approved"


def test_a_draft_cannot_be_submitted_nor_a_submitted_run_computed(funded: Campaign) -> None:
    run = funded.draft()
    with pytest.raises(Refused):
        services.submit(funded.clerk, run)
    done = funded.computed()
    services.submit(funded.clerk, done)
    with pytest.raises(Refused):
        services.start_computing(funded.clerk, done)


def test_the_notice_lasts_its_working_days(funded: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    with_settings(funded, notice_working_days=5)
    run = funded.computed()
    with pytest.raises(Refused, match=r"5"):
        services.submit(funded.clerk, run)
    services.start_notice(funded.clerk, run)
    last = add_working_days(today(), 5)
    assert (run.state, run.notice_until) == ("notice", last)
    monkeypatch.setattr("core.disbursements.services.today", lambda: last)
    with pytest.raises(Refused, match=last.isoformat()):
        services.submit(funded.clerk, run)
    monkeypatch.setattr("core.disbursements.services.today", lambda: last + timedelta(days=1))
    services.submit(funded.clerk, run)
    assert run.state == "submitted"


def test_no_notice_is_begun_where_none_is_asked(funded: Campaign) -> None:
    with pytest.raises(Refused, match=r"无须公示|no notice"):
        services.start_notice(funded.clerk, funded.computed())


def test_an_objection_holds_the_line_back_and_frees_its_money(funded: Campaign) -> None:
    run = funded.computed()
    line = db.session.scalars(select(Payment).order_by(Payment.payee_id)).first()
    assert line is not None
    payee_id, amount = line.payee_id, line.amount_fen
    with pytest.raises(ZhijiaError):
        services.object_to(funded.clerk, run, payee_id, "")
    with pytest.raises(NotFound):
        services.object_to(funded.clerk, run, 10**9, "x")
    services.object_to(funded.clerk, run, payee_id, "已调离")
    assert (run.candidates, run.paid, run.excluded, run.total_fen) == (7, 6, 1, 10_000 - amount)
    assert budget() == (10_000 - amount, 0)
    assert db.session.scalars(select(Exclusion.reason)).all() == ["objection"]


def test_posting_writes_both_ledgers_and_uses_the_budget(funded: Campaign) -> None:
    run = funded.approved()
    payout.post(funded.finance, run, DAY)
    assert (run.state, run.effective_on, budget()) == ("posted", DAY, (0, 10_000))
    entries = db.session.scalars(select(Entry).where(Entry.scope == "run").order_by(Entry.org_path)).all()
    assert [(entry.org_path, entry.effective_on) for entry in entries] == [
        ("/61/6101/", DAY),
        ("/61/6102/", DAY),
        ("/61/6111/", DAY),
    ]
    legs = db.session.scalars(select(Leg.amount_fen).where(Leg.entry_id == entries[0].id).order_by(Leg.line)).all()
    assert legs == [5716, -5716]
    activities = db.session.scalars(select(Activity).where(Activity.scope == "run")).all()
    assert len(activities) == 3
    assert {activity.template for activity in activities} == {"three_services"}
    assert "4 人" in next(a.data["result"] for a in activities if a.org_path == "/61/6101/")


def test_only_an_approved_run_is_posted_and_only_once(funded: Campaign) -> None:
    run = funded.computed()
    with pytest.raises(Refused, match=r"已批准|approved"):
        payout.post(funded.finance, run, DAY)
    done = run
    services.submit(funded.clerk, done)
    services.decide(funded.reviewer, done, approve=True, comment="")
    payout.post(funded.finance, done, DAY)
    with pytest.raises(Refused, match=r"已批准|approved"):
        payout.post(funded.finance, done, DAY)


def test_nothing_is_posted_in_the_future(funded: Campaign) -> None:
    run = funded.approved()
    with pytest.raises(Refused) as refusal:
        payout.post(funded.finance, run, today() + timedelta(days=1))
    assert refusal.value.field == "effective_on"
    payout.post(funded.finance, run, today())


def test_a_reviewer_may_not_post(funded: Campaign) -> None:
    with pytest.raises(Forbidden):
        payout.post(funded.reviewer, funded.approved(), DAY)


def test_payees_are_frozen_as_they_are_when_the_run_is_submitted(funded: Campaign) -> None:
    run = funded.computed()
    person = db.session.scalars(select(Person).order_by(Person.id)).first()
    assert person is not None
    person.name = "秦改名"
    db.session.commit()
    services.submit(funded.clerk, run)
    person.name = "秦又改名"
    db.session.commit()
    services.decide(funded.reviewer, run, approve=True, comment="")
    assert db.session.get_one(Payment, (run.id, person.id)).payee_name == "秦改名"


def test_a_change_that_was_under_way_when_the_scheme_was_asked_is_found(funded: Campaign) -> None:
    run = funded.draft()
    services.start_computing(funded.clerk, run)
    person_id = db.session.scalars(select(Person.id).order_by(Person.id)).first()
    rename = text("UPDATE core_person SET name = '秦迟到' WHERE id = :id")
    with db.engine.connect() as other:
        other.execute(rename, {"id": person_id})
        funded.run_jobs()
        assert db.session.get_one(Payment, (run.id, person_id)).payee_name != "秦迟到"
        other.commit()
    services.submit(funded.clerk, run)
    db.session.expire_all()
    assert db.session.get_one(Payment, (run.id, person_id)).payee_name == "秦迟到"


def test_a_cancelled_run_gives_everything_back(funded: Campaign) -> None:
    run = funded.computed()
    services.submit(funded.clerk, run)
    services.cancel(funded.clerk, run)
    assert (run.state, run.paid, budget()) == ("cancelled", 0, (0, 0))
    assert db.session.scalars(select(Payment)).all() == []
    assert db.session.scalars(select(RunChunk)).all() == []
    assert funded.computed().paid == 7


def test_an_approved_run_cannot_be_cancelled(funded: Campaign) -> None:
    with pytest.raises(Refused):
        services.cancel(funded.clerk, funded.approved())


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE core_payment SET amount_fen = amount_fen + 1",
        "UPDATE core_payment SET payee_name = '别人'",
        "DELETE FROM core_payment",
        "TRUNCATE core_payment",
        "UPDATE core_run SET total_fen = total_fen + 1",
        "UPDATE core_run SET state = 'draft'",
        "UPDATE core_entry SET description = 'x'",
        "DELETE FROM core_leg",
        "UPDATE core_leg SET amount_fen = amount_fen * 2",
        "TRUNCATE core_leg",
        "UPDATE core_audit SET actor = 'x'",
        "DELETE FROM core_run_approval",
        "UPDATE core_activity SET data = '{}'",
        "UPDATE core_allotment SET amount_fen = 1",
        "INSERT INTO core_leg SELECT id, 9, (SELECT min(id) FROM core_account), 5 FROM core_entry",
        "INSERT INTO core_payment SELECT run_id, payee_id + 100, program_year_id, 'again', chunk_org_id, org_id,"
        " org_path, 1, basis, payee_name, account_tail, false FROM core_payment LIMIT 1",
    ],
)
def test_what_is_posted_cannot_be_rewritten(funded: Campaign, statement: str) -> None:
    payout.post(funded.finance, funded.approved(), DAY)
    with pytest.raises(DBAPIError):
        db.session.execute(text(statement))
    db.session.rollback()


def test_an_org_may_move_although_its_books_cannot(funded: Campaign) -> None:
    payout.post(funded.finance, funded.approved(), DAY)
    db.session.execute(text("UPDATE core_org SET path = '/61/6199/' WHERE code = '6111'"))
    db.session.commit()
    assert db.session.scalars(select(Entry.org_path).where(Entry.org_path == "/61/6199/")).first()
    assert db.session.scalars(select(Payment.run_id).where(Payment.org_path == "/61/6199/")).first()


def test_the_run_of_a_year_stays_as_it_was_computed(funded: Campaign) -> None:
    run: Run = funded.approved()
    with_settings(funded, pool=1)
    assert run.settings["pool"] == 10_000
