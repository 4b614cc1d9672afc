"""The bank page of a run: who sees what, the way of a return file, what waits at home, what the database refuses."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from core.disbursements.banking.models import BankReturn, PaymentResult
from core.disbursements.models import Payment, Run
from core.disbursements.verify_all import checks
from core.extensions import db
from core.jobs.models import Job
from core.plugin.hooks import year_blockers
from core.registers.sheets import read_rows
from core.users.access import today
from core.users.testing import AsUser
from tests.disbursements.banking import as_csv, payments, row, send_in, sent
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services


@pytest.fixture
def run(campaign: Campaign) -> Run:
    """Seven payments at the bank."""
    campaign.fund(10_000, "6101", "6102", "6111")
    return sent(campaign)


def at(run: Run, page: str = "") -> str:
    return f"/2014/61/aid/runs/{run.id}/bank{page}"


def upload(content: bytes) -> dict[str, tuple[BytesIO, str]]:
    return {"file": (BytesIO(content), "回盘.csv")}


def test_the_way_of_a_return_file(campaign: Campaign, run: Run, as_user: AsUser) -> None:
    finance, clerk, lines = as_user(campaign.finance), as_user(campaign.clerk), payments(run)
    assert at(run) in finance.get(f"/2014/61/aid/runs/{run.id}").text
    assert finance.post(at(run)).status_code == 400
    wrong = finance.post(at(run), data=upload(as_csv([row(lines[0], "14.30"), row(lines[1])])))
    page = wrong.headers["Location"]
    assert "every 2s" in finance.get(page).text
    campaign.run_jobs()
    shown = finance.get(page).text
    assert "14.30" in shown
    assert f"{page}/faults.xlsx" in shown
    table = [read.values for read in read_rows(BytesIO(finance.get(f"{page}/faults.xlsx").data), "x.xlsx")]
    assert [(cells[0], cells[2]) for cells in table[1:]] == [("2", "14.30")]
    rows = [row(lines[0], "failed", reason="户名不符"), *map(row, lines[1:])]
    page = finance.post(at(run), data=upload(as_csv(rows))).headers["Location"]
    campaign.run_jobs()
    assert "every 2s" not in finance.get(page).text
    assert "户名不符" in clerk.get(at(run, "/failed")).text
    assert clerk.get(page).status_code == 403
    assert f"{at(run)}/follow-up" in clerk.get(at(run)).text
    made = clerk.post(at(run, "/follow-up"))
    assert made.status_code == 302
    assert clerk.post(at(run, "/follow-up")).status_code == 409
    assert f"{run.id}" in clerk.get(made.headers["Location"]).text
    assert run.state == "settled"


def test_a_city_sees_its_own_part_and_its_own_files(campaign: Campaign, run: Run, as_user: AsUser) -> None:
    send_in(campaign, run, as_csv([row(line, "failed") for line in payments(run)]))
    one = db.session.scalars(select(BankReturn)).one()
    browser = as_user("finance", "6102")
    page = browser.get(at(run)).text
    assert "铜川市" in page
    assert "西安市" not in page
    assert "28.56" in page
    assert "100.00" not in page
    assert browser.get(at(run, f"/returns/{one.id}")).status_code == 404
    assert browser.get(at(run, f"/returns/{one.id}/faults.xlsx")).status_code == 404
    assert browser.get(at(run, "/failed")).text.count("R1-") == 2


def test_a_job_that_failed_says_so(campaign: Campaign, run: Run, as_user: AsUser) -> None:
    browser = as_user(campaign.finance)
    page = browser.post(at(run), data=upload(as_csv([row(payments(run)[0])]))).headers["Location"]
    db.session.execute(update(Job).where(Job.state == "queued").values(state="failed", error="磁盘已满。"))
    db.session.commit()
    assert "磁盘已满" in browser.get(page).text


@pytest.mark.parametrize(("days", "late"), [(0, True), (1, False)])
def test_a_return_file_is_owed_at_home_until_all_is_known(
    campaign: Campaign, run: Run, as_user: AsUser, days: int, late: bool
) -> None:
    run.posted_at = run.posted_at and run.posted_at - timedelta(days=1)
    campaign.year.settings = {**campaign.year.settings, "return_working_days": days}
    db.session.commit()
    finance = as_user(campaign.finance)
    page = finance.get("/").text
    assert at(run) in page
    assert ("text-danger" in page) is late
    assert at(run) not in as_user(campaign.clerk).get("/").text
    send_in(campaign, run, as_csv([row(line) for line in payments(run)]))
    assert at(run) not in finance.get("/").text


def test_a_year_can_be_closed_with_runs_that_are_sent_or_settled(campaign: Campaign, run: Run) -> None:
    assert [item for item in year_blockers(campaign.year) if item.step == "close"] == []
    send_in(campaign, run, as_csv([row(line) for line in payments(run)]))
    assert run.state == "settled"
    assert [item for item in year_blockers(campaign.year) if item.step == "close"] == []


@contextmanager
def refused() -> Iterator[None]:
    with pytest.raises((IntegrityError, DBAPIError)):
        yield
    db.session.rollback()


def test_the_database_itself_keeps_results(campaign: Campaign, run: Run) -> None:
    lines = payments(run)
    payee_id, run_id = lines[0].payee_id, run.id
    with refused():  # a payment comes back when it has failed
        db.session.execute(text("UPDATE core_payment SET returned = true WHERE payee_id = :id"), {"id": payee_id})
    with refused():  # a run is settled when all is known
        db.session.execute(text("UPDATE core_run SET state = 'settled'"))
    added = "INSERT INTO core_payment_result VALUES (:run, :id, 'paid', '', '2014-01-25', NULL)"
    with refused():  # of a payment that there is not
        db.session.execute(text(added), {"run": run_id, "id": 999_999})
    send_in(campaign, run, as_csv([row(line, "failed") for line in lines]))
    for statement in (
        "UPDATE core_payment_result SET state = 'paid'",
        "DELETE FROM core_payment_result",
        "UPDATE core_payment SET returned = false",
        "UPDATE core_run SET state = 'sent'",
        "UPDATE core_run SET total_fen = 0",
        "TRUNCATE core_payment_result",
        "DELETE FROM core_payment",
    ):
        with refused():
            db.session.execute(text(statement))
    assert [found.sentence for found in checks()] == []


@pytest.mark.as_owner
@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE core_payment SET returned = true WHERE NOT returned",
        "UPDATE core_payment SET returned = false",
        "UPDATE core_payment_result SET state = 'paid'",
        "DELETE FROM core_payment_result WHERE state = 'failed'",
        "DELETE FROM core_payment_result WHERE state = 'paid'",
        "UPDATE core_entry SET scope = 'manual' WHERE scope = 'run-return'",
        "UPDATE core_payment_result SET payee_id = payee_id + 1000 WHERE state = 'failed'",
    ],
)
def test_what_was_changed_behind_the_house_is_found(campaign: Campaign, run: Run, tampering: str, app: Flask) -> None:
    lines = payments(run)
    send_in(campaign, run, as_csv([row(lines[0], "failed"), *map(row, lines[1:])]))
    assert list(checks()) == []
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text(tampering))
    db.session.commit()
    assert list(checks()) != []


def test_results_are_counted_once(campaign: Campaign, run: Run) -> None:
    send_in(campaign, run, as_csv([row(line) for line in payments(run)[:3]]))
    assert len(db.session.scalars(select(PaymentResult)).all()) == 3
    assert db.session.scalars(select(Payment.payee_id).where(Payment.returned)).all() == []
    assert today() >= db.session.scalars(select(PaymentResult.on_day)).first()  # type: ignore[operator]
