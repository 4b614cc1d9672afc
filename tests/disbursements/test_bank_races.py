"""Many at once on what came back: a line fails, is reversed and is set aside once, each on a connection of its own."""

from collections import Counter
from io import BytesIO

import pytest
from flask import Flask
from sqlalchemy import func, select

from core.config import settings_of
from core.disbursements import payout
from core.disbursements.banking import returns
from core.disbursements.banking.aside import set_aside
from core.disbursements.banking.models import BankReturn, PaymentResult
from core.disbursements.banking.writing import write_bank_files
from core.disbursements.models import BankFile, Payment, Run
from core.disbursements.verify_all import checks
from core.errors import Refused
from core.extensions import db
from core.ledger.models import BudgetLine, Entry
from core.users.access import today
from core.users.models import User
from tests.disbursements.banking import as_csv, payments, row, sent
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_aside import change
from tests.ledger.test_races import WRITERS, at_once

pytestmark = pytest.mark.services


def uploaded(campaign: Campaign, run: Run, rows: list[tuple[str, ...]], name: str) -> int:
    """The id of a return file that no worker has read yet."""
    return returns.upload(campaign.finance, run, BytesIO(as_csv(rows)), name).id


def read(finance_id: int, return_id: int) -> str:
    """What a worker does with a return file, and the state that it found it in at the end."""
    returns.take_in(db.session.get_one(User, finance_id), return_id, lambda _done, _total: None)
    return db.session.get_one(BankReturn, return_id).state


def reversed_fen() -> list[int]:
    """What the ledger took back, entry by entry."""
    entries = db.session.scalars(select(Entry).where(Entry.scope == "run-return").order_by(Entry.org_path))
    return [max(leg.amount_fen for leg in entry.legs) for entry in entries]


def used() -> int:
    return int(db.session.scalars(select(func.sum(BudgetLine.used_fen))).one())


def test_one_return_file_read_by_eight_at_once(app: Flask, campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = sent(campaign)
    lines = payments(run)
    return_id = uploaded(campaign, run, [*(row(line, "failed") for line in lines[:5]), *map(row, lines[5:])], "a.csv")
    finance_id = campaign.finance.id
    assert at_once(app, lambda _number: read(finance_id, return_id)) == {"taken": WRITERS}
    assert reversed_fen() == [5716, 1428]
    assert used() == 10_000 - 5716 - 1428
    assert db.session.get_one(Run, run.id).state == "settled"
    assert list(checks()) == []


def test_return_files_that_fail_the_same_lines_at_once(app: Flask, campaign: Campaign) -> None:
    """Eight files that differ by a reason only: one of them brings the failures, the others bring nothing new."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = sent(campaign)
    lines = payments(run)[:4]
    ids = [
        uploaded(campaign, run, [row(line, "failed", reason=f"原因{number}") for line in lines], f"{number}.csv")
        for number in range(WRITERS)
    ]
    finance_id = campaign.finance.id
    assert at_once(app, lambda number: read(finance_id, ids[number])) == {"taken": WRITERS}
    assert reversed_fen() == [5716]
    assert used() == 10_000 - 5716
    assert Counter(db.session.scalars(select(BankReturn.failed))) == {4: 1, 0: WRITERS - 1}
    assert db.session.scalar(select(func.count()).select_from(PaymentResult)) == 4
    assert list(checks()) == []


def test_return_files_that_contradict_each_other_at_once(app: Flask, campaign: Campaign) -> None:
    """Half of them say paid, the others failed: whoever is first is believed, whoever contradicts is refused."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = sent(campaign)
    line = payments(run)[0]
    ids = [
        uploaded(campaign, run, [row(line, "failed" if number % 2 else "full", day=f"2014-01-{10 + number}")], "x.csv")
        for number in range(WRITERS)
    ]
    finance_id = campaign.finance.id
    assert at_once(app, lambda number: read(finance_id, ids[number])) == {"taken": 4, "refused": 4}
    state = db.session.scalars(select(PaymentResult.state)).one()
    assert reversed_fen() == ([line.amount_fen] if state == "failed" else [])
    assert list(checks()) == []


def test_lines_set_aside_by_seven_while_the_files_are_written(app: Flask, campaign: Campaign) -> None:
    """A line with a changed account is in no file and set aside once, or keeps the files from being written."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    payee_id, run_id, finance_id = payments(run)[0].payee_id, run.id, campaign.finance.id
    change(payee_id)

    def work(number: int) -> str:
        settings = settings_of()
        try:
            if number == 0:
                list(write_bank_files(run_id, settings.files / "bank", settings.data_keys))
                return "written"
            set_aside(db.session.get_one(User, finance_id), db.session.get_one(Run, run_id))
        except Refused:
            return "refused"
        return "set aside"

    answers = at_once(app, work)
    assert answers["set aside"] == 1
    assert reversed_fen() == [1429]
    assert db.session.get_one(Payment, (run_id, payee_id)).returned
    if answers["written"]:
        assert dict(db.session.execute(select(BankFile.org_path, BankFile.lines)).all())["/61/6101/"] == 3
    else:
        assert db.session.scalars(select(BankFile)).all() == []
    assert list(checks()) == []
