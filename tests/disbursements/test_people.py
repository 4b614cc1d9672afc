"""What runs say when two files become one person, when a person is looked up or erased, and when a year ends."""

from datetime import date
from threading import Thread

import pytest
from flask import Flask
from sqlalchemy import select, text

from core.audit.services import SYSTEM
from core.disbursements import compute, services
from core.disbursements.hooks import personal_data, year_blockers
from core.disbursements.models import STATES, Exclusion, Payment, Run
from core.disbursements.payout import post, start_bank_files
from core.disbursements.rules import paid_before
from core.disbursements.verify_all import checks
from core.errors import Refused
from core.extensions import db
from core.org.scope import Scope
from core.people.merging import merge
from core.people.models import Person
from core.people.personal import erase, show_data
from core.plugin.registry import registry_of
from core.plugin.tables import owner_engine
from core.programs.services import change_settings, close, enable
from core.users.access import today
from core.wall import beyond_scope
from tests.disbursements.conftest import Campaign, add_people

pytestmark = pytest.mark.services
EVERYWHERE = Scope(("/",))
CITIES = ("6101", "6102", "6111")
UNFINISHED = ("draft", "computing", "computed", "notice", "submitted", "approved", "posted")


def people() -> list[Person]:
    return list(db.session.scalars(select(Person).order_by(Person.id)))


def force(run: Run, state: str) -> None:
    """Put a run into a state, past every rule."""
    db.session.commit()
    with owner_engine() as engine, engine.begin() as own:
        own.execute(text("SET LOCAL session_replication_role = replica"))
        own.execute(text("UPDATE core_run SET state = :state WHERE id = :id"), {"state": state, "id": run.id})
    db.session.expire_all()


def reasons(run: Run) -> dict[int, str]:
    query = select(Exclusion.payee_id, Exclusion.reason).where(Exclusion.run_id == run.id)
    return dict(db.session.execute(query).all())


def paid(run: Run) -> list[int]:
    return list(db.session.scalars(select(Payment.payee_id).where(Payment.run_id == run.id).order_by(Payment.payee_id)))


@pytest.mark.parametrize("state", ["computing", "computed", "notice", "submitted", "approved"])
def test_nobody_in_an_unfinished_run_is_merged(campaign: Campaign, state: str) -> None:
    campaign.fund(10_000, *CITIES)
    force(campaign.computed(org="6102", title="铜川送温暖"), state)
    outside, inside = people()[0], people()[4]
    for kept, dropped in ((outside, inside), (inside, outside)):
        with pytest.raises(Refused, match=r"秦安20 .*铜川送温暖.* finish or cancel"):
            merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert {person.merged_into_id for person in people()} == {None}
    merge(SYSTEM, EVERYWHERE, people()[1].id, outside.id)


@pytest.mark.parametrize("state", ["posted", "sent", "cancelled", "failed"])
def test_a_finished_run_stands_in_nobodys_way(campaign: Campaign, state: str) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.approved()
    force(run, state)
    before = paid(run)
    kept, dropped = people()[:2]
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    assert paid(run) == before


def test_the_excluded_and_those_not_yet_shared_out_stand_in_the_run_as_well(campaign: Campaign) -> None:
    add_people(campaign.orgs["610202"], 1, first=40, account=False)
    campaign.fund(10_000, *CITIES)
    run = campaign.draft(org="6102")
    run.state = "computing"
    db.session.commit()
    compute.reserve(run.id, registry_of().schemes[run.scheme])
    outside, named, excluded = people()[0], people()[4], people()[7]
    for person in (named, excluded):
        with pytest.raises(Refused, match="not posted yet"):
            merge(SYSTEM, EVERYWHERE, outside.id, person.id)
    compute.fill(run.id, campaign.orgs["6102"].id)
    compute.seal(run.id)
    assert reasons(run) == {excluded.id: "no_account"}
    with pytest.raises(Refused, match="not posted yet"):
        merge(SYSTEM, EVERYWHERE, outside.id, excluded.id)


def test_who_was_paid_under_the_other_file_is_not_paid_again(campaign: Campaign) -> None:
    campaign.fund(20_000, *CITIES)
    post(campaign.finance, campaign.approved(org="6102"), today())
    kept, dropped = people()[0], people()[4]
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    run = campaign.computed()
    assert reasons(run) == {kept.id: "already_paid", dropped.id: "merged", people()[5].id: "already_paid"}
    assert (run.candidates, run.paid, run.total_fen) == (7, 4, 10_000)
    assert list(checks()) == []


def test_a_scheme_that_still_names_the_merged_file_does_not_pay_it(campaign: Campaign) -> None:
    kept, dropped = people()[:2]
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    campaign.fund(10_000, *CITIES)
    run = campaign.computed()
    assert (run.candidates, run.paid, run.total_fen, reasons(run)) == (7, 6, 10_000, {dropped.id: "merged"})
    settings = {**campaign.year.settings, "pool": 0, "each": 100}
    change_settings(SYSTEM, campaign.year, settings, version=campaign.year.settings_version)
    services.start_computing(campaign.clerk, run)
    campaign.run_jobs()
    assert (run.paid, run.total_fen, reasons(run)) == (6, 600, {dropped.id: "merged"})


def test_who_was_paid_under_both_files_is_named_once(campaign: Campaign) -> None:
    campaign.fund(20_000, *CITIES)
    post(campaign.finance, campaign.approved(), today())
    kept, dropped, other = people()[:3]
    merge(SYSTEM, EVERYWHERE, kept.id, dropped.id)
    merge(SYSTEM, EVERYWHERE, kept.id, other.id)
    run = campaign.draft()
    named = db.session.scalars(select(paid_before(compute.context_of(run)).c.payee_id)).all()
    assert sorted(named) == [person.id for person in people()]


def test_a_merge_waits_for_whoever_is_asked_for_payees(app: Flask, campaign: Campaign) -> None:
    """A scheme that is being asked may have seen both files; only when it is written down can the merge tell."""
    kept, dropped = (person.id for person in people()[:2])
    db.session.commit()

    def merge_them() -> None:
        with app.app_context(), beyond_scope("a test"):
            merge(SYSTEM, EVERYWHERE, kept, dropped)

    thread = Thread(target=merge_them)
    with app.app_context(), beyond_scope("a test"):
        compute.hold_people(alone=False)
        with app.app_context(), beyond_scope("a test"):
            compute.hold_people(alone=False)  # runs do not wait for one another
            db.session.rollback()
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
        db.session.rollback()
    thread.join(10)
    db.session.expire_all()
    assert db.session.get_one(Person, dropped).merged_into_id == kept


def test_reserving_takes_the_lock(campaign: Campaign, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[bool] = []
    monkeypatch.setattr(compute, "hold_people", lambda *, alone: taken.append(alone))
    campaign.fund(10_000, *CITIES)
    campaign.computed()
    assert taken == [False]


def test_each_line_of_a_run_is_shown(campaign: Campaign) -> None:
    campaign.fund(20_000, *CITIES)
    run = campaign.computed(title="元旦送温暖")
    person, held = people()[0], people()[1]
    services.object_to(campaign.clerk, run, held.id, "已享受低保")
    (payment,) = personal_data(person, "show")
    assert str(payment.title) == "Payment"
    assert dict(payment.values) == {
        "Program": "Winter aid",
        "Year": "2014",
        "Disbursement run": "元旦送温暖",
        "Amount": "14.29 yuan",
        "State": "Computed",
        "Payee": "秦安0",
        "Bank account": "**** 0000",
    }
    (exclusion,) = personal_data(held, "show")
    assert (str(exclusion.title), exclusion.values["Note"]) == ("Not paid", "已享受低保")
    assert exclusion.values["Reason"] == "Held back after an objection"
    records = show_data(SYSTEM, EVERYWHERE, held.id)
    assert [str(record.title) for record in records] == ["Personal data", "Not paid"]


@pytest.mark.parametrize("state", ["computing", "computed", "notice", "submitted", "approved", "posted"])
def test_nobody_is_erased_before_the_run_is_sent(campaign: Campaign, state: str) -> None:
    campaign.fund(10_000, *CITIES)
    force(campaign.approved(title="元旦送温暖"), state)
    with pytest.raises(Refused, match="元旦送温暖"):
        erase(SYSTEM, EVERYWHERE, people()[0].id, "本人申请")
    assert people()[0].name == "秦安0"


def test_who_was_paid_is_erased_when_the_year_is_closed_for_good_and_the_books_stay(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    run = campaign.approved(title="元旦送温暖")
    post(campaign.finance, run, today())
    start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    person = people()[0]
    with pytest.raises(Refused, match="close it first"):
        erase(SYSTEM, EVERYWHERE, person.id, "本人申请")
    close(SYSTEM, campaign.year)
    (record,) = erase(SYSTEM, EVERYWHERE, person.id, "本人申请")
    assert "1 lines stay" in record.values["Kept"]
    line = db.session.get_one(Payment, (run.id, person.id))
    assert (line.payee_name, line.account_tail, person.name) == ("秦安0", "0000", "已删除")
    assert list(checks()) == []


def test_who_is_in_a_run_that_was_given_up_is_erased(campaign: Campaign) -> None:
    campaign.fund(10_000, *CITIES)
    services.cancel(campaign.clerk, campaign.computed())
    assert erase(SYSTEM, EVERYWHERE, people()[0].id, "本人申请") == []


@pytest.mark.parametrize("state", STATES)
def test_a_year_is_closed_when_every_run_is_sent_or_given_up(campaign: Campaign, state: str) -> None:
    campaign.fund(10_000, *CITIES)
    force(campaign.approved(title="元旦送温暖"), state)
    blockers = year_blockers(campaign.year)
    assert [blocker.step for blocker in blockers] == (["close"] if state in UNFINISHED else [])
    for blocker in blockers:
        assert "元旦送温暖" in str(blocker.sentence)
        assert ("bank files" if state == "posted" else "finish it or cancel it") in str(blocker.sentence)


def test_the_runs_of_another_year_stand_in_no_ones_way(campaign: Campaign) -> None:
    campaign.draft()
    other = enable(SYSTEM, "aid", 2015, campaign.orgs["61"], opens_on=date(2015, 1, 1), settings=campaign.year.settings)
    assert (len(year_blockers(campaign.year)), year_blockers(other)) == (1, [])
