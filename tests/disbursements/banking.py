"""Runs at the bank, and return files as banks write them."""

import csv
import io
from collections.abc import Iterable

from sqlalchemy import select

from core.config import settings_of
from core.disbursements import payout
from core.disbursements.banking import returns
from core.disbursements.banking.models import BankReturn
from core.disbursements.banking.references import reference_of
from core.disbursements.models import BankFile, Payment, Run
from core.extensions import db
from core.files.vault import read_vault
from core.money import plain_yuan
from core.users.access import today
from core.users.models import User
from tests.disbursements.conftest import Campaign

HEADINGS = ("参考号", "处理结果", "金额", "失败原因", "处理日期")
Row = tuple[str, ...]


def sent(campaign: Campaign, **more: str) -> Run:
    """A run whose bank files stand, of a campaign with enough money."""
    run = campaign.approved(**more)
    payout.post(campaign.finance, run, today())
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    assert run.state == "sent"
    return run


def payments(run: Run) -> list[Payment]:
    """The lines of a run by payee."""
    query = select(Payment).where(Payment.run_id == run.id).order_by(Payment.payee_id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def row(line: Payment, result: str = "full", **cells: str) -> Row:
    """A line of a return file about this payment."""
    amount = cells.get("amount", plain_yuan(line.amount_fen))
    reference = cells.get("reference", reference_of(line.run_id, line.payee_id))
    return reference, result, amount, cells.get("reason", ""), cells.get("day", "2014-01-25")


def as_csv(rows: Iterable[Iterable[str]], headings: Iterable[str] = HEADINGS, encoding: str = "utf-8-sig") -> bytes:
    """The file."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue().encode(encoding)


def in_files() -> str:
    """All bank files that stand as the banks read them."""
    settings = settings_of()
    names = db.session.scalars(select(BankFile.name))
    return "".join(b"".join(read_vault(settings.files / "bank" / name, settings.data_keys)).decode() for name in names)


def send_in(campaign: Campaign, run: Run, content: bytes, name: str = "回盘.csv", by: User | None = None) -> BankReturn:
    """The return file after a worker has read it."""
    one = returns.upload(by or campaign.finance, run, io.BytesIO(content), name)
    campaign.run_jobs()
    db.session.expire_all()
    return one
