"""What a run was submitted with is what it pays: an account that is changed later goes to no bank unapproved."""

from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError

from core.config import settings_of
from core.disbursements import compute, payout, services
from core.disbursements.banking import accounts, returns, writing
from core.disbursements.banking.aside import REASON, changed_of, set_aside
from core.disbursements.banking.following import follow_up, to_follow
from core.disbursements.banking.models import BankReturn, PaymentResult
from core.disbursements.models import BankFile, Payment, Run
from core.disbursements.verify_all import checks
from core.errors import Forbidden, Refused
from core.extensions import db
from core.jobs.models import Job
from core.ledger.models import BudgetLine
from core.people.models import Person
from core.people.secrets import keys
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.banking import as_csv, in_files, payments, row, send_in
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
OTHER = "6299000000000000001"


@pytest.fixture
def posted(campaign: Campaign) -> Run:
    """Seven payments, posted; no bank file yet."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    return run


def change(payee_id: int, number: str | None = OTHER) -> None:
    """The person has another account from now on, or none."""
    person = db.session.get_one(Person, payee_id)
    sealed = keys().seal("bank_account", number) if number else (None, None, None)
    person.bank_account, person.bank_account_digest, person.bank_account_tail = sealed
    db.session.commit()


def written(campaign: Campaign, run: Run) -> Job:
    """The job that wrote the bank files, or failed to."""
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    db.session.expire_all()
    return db.session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()


def assert_sound() -> None:
    found = list(checks())
    assert [finding.sentence for finding in found] == []


def test_a_changed_account_keeps_the_files_from_being_written_and_is_named(campaign: Campaign, posted: Run) -> None:
    first, *_rest = payments(posted)
    change(first.payee_id)
    job = written(campaign, posted)
    assert job.state == "failed"
    assert "秦安0" in (job.error or "")
    assert "秦安1" not in (job.error or "")
    assert posted.state == "posted"
    assert db.session.scalars(select(BankFile)).all() == []


def test_the_same_number_at_another_bank_is_another_account(posted: Run) -> None:
    first, *_rest = payments(posted)
    assert changed_of(posted).count == 0
    db.session.get_one(Person, first.payee_id).bank_name = "渭水银行"
    db.session.commit()
    assert [row.payee_id for row in changed_of(posted).rows] == [first.payee_id]


def test_lines_that_are_set_aside_are_reversed_and_paid_by_a_run_that_is_approved_anew(
    campaign: Campaign, posted: Run
) -> None:
    first, second, *others = payments(posted)
    change(first.payee_id)
    change(second.payee_id, None)
    found = changed_of(posted)
    assert (found.count, found.fen) == (2, first.amount_fen + second.amount_fen)
    assert [(line.payee_name, line.account_tail, line.tail) for line in found.rows] == [
        ("秦安0", "0000", "0001"), ("秦安1", "0001", ""),
    ]  # fmt: skip
    one = set_aside(campaign.finance, posted)
    assert (one.kind, one.state, one.failed, one.total_fen) == ("aside", "taken", 2, found.fen)
    line = db.session.get_one(PaymentResult, (posted.id, first.payee_id))
    assert (line.state, line.reason, line.on_day) == ("failed", REASON, today())
    budget = select(BudgetLine.used_fen).where(BudgetLine.org_id == campaign.orgs["6101"].id)
    assert db.session.scalars(budget).one() == 5716 - found.fen
    assert_sound()
    assert written(campaign, posted).state == "done"
    assert posted.state == "sent"
    assert OTHER not in in_files()
    file = db.session.scalars(select(BankFile).where(BankFile.org_path == "/61/6101/")).one()
    assert (file.lines, file.total_fen) == (2, 5716 - found.fen)
    back = in_files().replace(",,,\r\n", ",成功,,2014-01-25\r\n", 2).split("\ufeff")[1]
    assert send_in(campaign, posted, back.encode()).paid == 2  # the control totals are those of the file
    send_in(campaign, posted, as_csv(map(row, others[2:])), "其余.csv")
    assert posted.state == "settled"
    assert to_follow(posted) == 2
    draft = follow_up(campaign.clerk, posted)
    services.start_computing(campaign.clerk, draft)
    campaign.run_jobs()
    assert [(line.payee_id, line.account_tail) for line in payments(draft)] == [(first.payee_id, "0001")]
    services.submit(campaign.clerk, draft)
    services.decide(campaign.reviewer, draft, approve=True, comment="")
    payout.post(campaign.finance, draft, today())
    assert written(campaign, draft).state == "done"
    assert OTHER in in_files()
    assert_sound()


def test_what_was_changed_before_the_run_was_submitted_is_paid(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed()
    payee_id = payments(run)[0].payee_id
    change(payee_id)
    services.submit(campaign.clerk, run)
    services.decide(campaign.reviewer, run, approve=True, comment="")
    payout.post(campaign.finance, run, today())
    assert payments(run)[0].account_tail == "0001"
    with pytest.raises(Refused, match="Every account is still the one"):
        set_aside(campaign.finance, run)
    assert written(campaign, run).state == "done"
    assert OTHER in in_files()


def test_what_was_changed_between_submitting_and_approving_was_seen_by_nobody(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.computed()
    services.submit(campaign.clerk, run)
    change(payments(run)[0].payee_id)
    services.decide(campaign.reviewer, run, approve=True, comment="")
    payout.post(campaign.finance, run, today())
    assert payments(run)[0].account_tail == "0000"
    assert changed_of(run).count == 1


@pytest.mark.as_owner
@pytest.mark.parametrize(("later", "count"), [(0, 0), (1, 1)])
def test_the_moment_of_submitting_belongs_to_what_was_submitted(
    campaign: Campaign, posted: Run, later: int, count: int
) -> None:
    """By an account that ends like the former one, so that only the moment tells."""
    first = payments(posted)[0]
    change(first.payee_id, "6299000000000000000")
    assert posted.submitted_at is not None
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    moment = posted.submitted_at + timedelta(microseconds=later)
    db.session.execute(update(Person).where(Person.id == first.payee_id).values(account_changed_at=moment))
    db.session.commit()
    assert changed_of(posted).count == count


def test_an_account_that_a_hand_changed_unmarked_is_found_by_its_end_and_by_its_digest(
    campaign: Campaign, posted: Run
) -> None:
    first, second, *_rest = payments(posted)
    theirs = keys().encrypt("bank_account", OTHER)
    db.session.execute(update(Person).where(Person.id == first.payee_id).values(bank_account_tail="0001"))
    db.session.commit()
    assert changed_of(posted).count == 1
    db.session.execute(update(Person).where(Person.id == first.payee_id).values(bank_account_tail="0000"))
    db.session.execute(update(Person).where(Person.id == second.payee_id).values(bank_account=theirs))
    db.session.commit()
    assert changed_of(posted).count == 0
    job = written(campaign, posted)
    assert job.state == "failed"
    assert "秦安1" in (job.error or "")
    assert posted.state == "posted"


def test_the_moment_of_a_change_is_written_by_the_database_alone(campaign: Campaign, posted: Run) -> None:
    first = payments(posted)[0]
    change(first.payee_id)
    db.session.execute(update(Person).values(account_changed_at=None))
    db.session.commit()
    assert changed_of(posted).count == 1
    sealed = keys().seal("bank_account", OTHER)  # the same number, encrypted again, is no change
    before = db.session.get_one(Person, first.payee_id).account_changed_at
    db.session.execute(
        update(Person)
        .where(Person.id == first.payee_id)
        .values(bank_account=sealed.ciphertext, bank_account_digest=sealed.digest)
    )
    db.session.commit()
    assert db.session.get_one(Person, first.payee_id).account_changed_at == before
    with pytest.raises(DBAPIError):
        db.session.execute(text("UPDATE core_run SET submitted_at = now() + interval '1 day'"))
    db.session.rollback()


def test_a_union_that_is_paid_is_asked_likewise(campaign: Campaign) -> None:
    settings = {**campaign.year.settings, "pool": 0, "each": 500}
    campaign.year.settings = settings
    db.session.commit()
    campaign.fund(10_000, "6101", "6102")
    county, late = campaign.orgs["610102"], campaign.orgs["610103"]
    accounts.keep_account(campaign.clerk, county, "620000000000001111", "秦川银行")
    run = campaign.approved(scheme="aid.unions")
    payout.post(campaign.finance, run, today())
    assert changed_of(run).count == run.paid - 1  # the others have no account
    accounts.keep_account(campaign.clerk, late, "620000000000002222", "秦川银行")
    assert changed_of(run).count == run.paid - 1  # nobody has approved it
    accounts.keep_account(campaign.clerk, county, "620000000000001111", "秦川银行")
    assert changed_of(run).count == run.paid - 1
    accounts.keep_account(campaign.clerk, county, "629900000000001111", "秦川银行")
    assert changed_of(run).count == run.paid


def test_all_lines_may_be_set_aside_and_the_run_is_settled(campaign: Campaign, posted: Run) -> None:
    for line in payments(posted):
        change(line.payee_id, None)
    assert set_aside(campaign.finance, posted).failed == 7
    assert posted.state == "settled"
    assert db.session.scalars(select(BankFile)).all() == []
    assert_sound()


def test_lines_are_set_aside_twice_when_more_accounts_change(campaign: Campaign, posted: Run) -> None:
    first, second, *_rest = payments(posted)
    for line in (first, second):
        change(line.payee_id)
        assert set_aside(campaign.finance, posted).failed == 1
    assert_sound()
    assert written(campaign, posted).state == "done"


def test_nothing_is_set_aside_that_may_be_with_the_bank(
    campaign: Campaign, posted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file of Xi'an stands when the writing breaks off: its payee keeps the account that the bank has by now."""
    first = payments(posted)[0]
    write = writing.write_bank_files(posted.id, settings_of().files / "bank", settings_of().data_keys)
    assert next(write) == "6101"
    del write
    change(first.payee_id)
    assert changed_of(posted).count == 0
    with pytest.raises(Refused):
        set_aside(campaign.finance, posted)
    assert written(campaign, posted).state == "done"
    assert posted.state == "sent"
    with pytest.raises(Refused, match="between posting"):
        set_aside(campaign.finance, posted)
    campaign.year.settings = {**campaign.year.settings, "bank_format": ["csv", "xlsx"]}
    db.session.commit()
    job = written(campaign, posted)
    assert job.state == "failed"
    assert "秦安0" in (job.error or "")
    assert set(db.session.scalars(select(BankFile.format))) == {"csv"}


def test_a_file_that_was_being_written_while_a_line_was_set_aside_does_not_stand(
    app: Flask, campaign: Campaign, posted: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = payments(posted)[0]
    locked = compute.locked

    def late(run_id: int) -> Run:
        """Set aside after the lines were written, before the file goes on record."""
        monkeypatch.setattr(compute, "locked", locked)
        change(first.payee_id)
        set_aside(campaign.finance, posted)
        return locked(run_id)

    write = writing.write_bank_files(posted.id, settings_of().files / "bank", settings_of().data_keys)
    monkeypatch.setattr(compute, "locked", late)
    with pytest.raises(Refused, match="set aside meanwhile"):
        next(write)
    db.session.rollback()
    assert db.session.scalars(select(BankFile)).all() == []
    assert not (settings_of().files / "bank" / f"{posted.id}-6101-csv.csv").exists()
    assert written(campaign, posted).state == "done"
    assert OTHER not in in_files()


def test_whoever_posts_a_part_only_sets_nothing_aside(campaign: Campaign, posted: Run, as_user: AsUser) -> None:
    change(payments(posted)[0].payee_id)
    with pytest.raises(Forbidden):
        set_aside(campaign.clerk, posted)
    assert as_user("finance", "6101").get(f"/2014/61/aid/runs/{posted.id}/bank/changed").status_code == 404
    assert db.session.scalars(select(Payment.payee_id).where(Payment.returned)).all() == []


def test_a_bank_that_says_such_a_line_was_paid_is_contradicted(campaign: Campaign, posted: Run) -> None:
    lines = payments(posted)
    change(lines[0].payee_id)
    with pytest.raises(Refused):
        returns.upload(campaign.finance, posted, BytesIO(as_csv(map(row, lines))), "x.csv")
    set_aside(campaign.finance, posted)
    written(campaign, posted)
    assert send_in(campaign, posted, as_csv(map(row, lines))).state == "refused"


def test_the_page_names_them_and_has_the_way_out(campaign: Campaign, posted: Run, as_user: AsUser) -> None:
    browser, here = as_user(campaign.finance), f"/2014/61/aid/runs/{posted.id}"
    assert f"{here}/bank/changed" in browser.get(f"{here}/bank").text
    assert "秦安0" not in browser.get(f"{here}/bank/changed").text
    assert browser.post(f"{here}/bank/changed").status_code == 409
    change(payments(posted)[0].payee_id)
    page = browser.get(f"{here}/bank/changed").text
    assert "秦安0" in page
    assert "**** 0000" in page
    assert "**** 0001" in page
    assert f'href="/people/{payments(posted)[0].payee_id}"' in page
    answer = browser.post(f"{here}/bank/changed")
    assert answer.location == here
    one = db.session.scalars(select(BankReturn)).one()
    assert REASON in browser.get(f"{here}/bank").text
    assert REASON in browser.get(f"{here}/bank/failed").text
    assert browser.get(f"{here}/bank/returns/{one.id}").status_code == 200
