"""Bank files: what stands in them, how they are kept, and who may have them."""

import csv
import hashlib
import io
from datetime import date

import pytest
from cryptography.exceptions import InvalidTag
from flask import Flask
from sqlalchemy import select, text

from core.audit.models import AuditLine
from core.config import settings_of
from core.data_keys import DataKeys
from core.disbursements import payout
from core.disbursements.models import BankFile, Run
from core.errors import Refused
from core.extensions import db
from core.files.vault import BLOCK, read_vault, write_vault
from core.people.models import Person
from core.users.testing import AsUser
from tests.disbursements.banking import payments
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
DAY = date(2014, 1, 24)


@pytest.fixture
def sent(campaign: Campaign) -> Run:
    """A run whose bank files are written; one payee's name begins like a formula."""
    campaign.fund(10_000, "6101", "6102", "6111")
    person = db.session.scalars(select(Person).order_by(Person.id)).first()
    assert person is not None
    person.name = "=cmd|x"
    db.session.commit()
    run = campaign.approved()
    payout.post(campaign.finance, run, DAY)
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    return run


def content(file: BankFile) -> bytes:
    """The file as the bank gets it."""
    settings = settings_of()
    return b"".join(read_vault(settings.files / "bank" / file.name, settings.data_keys))


def files() -> dict[str, BankFile]:
    """The files by path of their union."""
    return {file.org_path: file for file in db.session.scalars(select(BankFile))}


def test_a_run_that_is_not_posted_has_no_bank_file(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    with pytest.raises(Refused, match=r"已记账|posted"):
        payout.start_bank_files(campaign.finance, campaign.approved())


def test_each_union_has_its_file_with_control_totals(sent: Run) -> None:
    assert sent.state == "sent"
    assert {path: (file.lines, file.total_fen) for path, file in files().items()} == {
        "/61/6101/": (4, 5716),
        "/61/6102/": (2, 2856),
        "/61/6111/": (1, 1428),
    }
    raw = content(files()["/61/6101/"])
    assert hashlib.sha256(raw).digest() == files()["/61/6101/"].digest
    rows = list(csv.reader(io.StringIO(raw.decode("utf-8-sig"))))
    assert rows[0][:7] == ["序号", "收款人", "账号", "开户行", "金额（元）", "附言", "参考号"]
    assert rows[1][:6] == ["1", "'=cmd|x", "620000000000000000", "秦川银行", "14.29", "送温暖"]
    assert rows[1][6:] == [f"R{sent.id}-{payments(sent)[0].payee_id}", "", "", ""]
    assert rows[-2][:5] == ["合计", "4笔", "", "", "57.16"]
    lines = "\n".join(f"{line.payee_id}:{line.amount_fen}" for line in payments(sent)[:4])
    assert rows[-1][:2] == ["校验码", hashlib.sha256(lines.encode()).hexdigest()]


def test_account_numbers_do_not_lie_open_on_the_disk(sent: Run) -> None:
    folder = settings_of().files / "bank"
    for file in folder.iterdir():
        assert b"6200000" not in file.read_bytes()
        assert file.stat().st_mode & 0o077 == 0


def test_writing_again_leaves_what_is_there(sent: Run, campaign: Campaign) -> None:
    before = {path: file.digest for path, file in files().items()}
    payout.start_bank_files(campaign.finance, sent)
    campaign.run_jobs()
    assert {path: file.digest for path, file in files().items()} == before


@pytest.mark.as_owner
def test_payments_that_were_changed_after_posting_go_to_no_bank(campaign: Campaign) -> None:
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, DAY)
    (settings_of().files / "bank" / f"{run.id}-6101-csv.csv").unlink(missing_ok=True)  # of a test before
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text("UPDATE core_payment SET amount_fen = 999999 WHERE payee_id = 1"))
    db.session.commit()
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    assert run.state == "posted"
    assert "/61/6101/" not in files()
    assert not (settings_of().files / "bank" / f"{run.id}-6101-csv.csv").exists()


def address(run: Run, code: str) -> str:
    """Where the file of one union is fetched."""
    return f"/2014/61/aid/runs/{run.id}/bank-files/{code}"


def test_only_finance_of_that_union_gets_its_file_and_it_is_on_record(sent: Run, as_user: AsUser) -> None:
    assert as_user("clerk").get(address(sent, "6101")).status_code == 403
    assert as_user("finance", "6102").get(address(sent, "6101")).status_code == 404
    response = as_user("finance", "6101").get(address(sent, "6101"))
    assert response.status_code == 200
    assert response.data.startswith("\ufeff序号".encode())
    lines = db.session.scalars(select(AuditLine).where(AuditLine.action == "run.download")).all()
    assert [line.org_path for line in lines] == ["/61/6101/"]


def test_a_vault_that_was_changed_does_not_open(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vault") / "file"
    body = bytes(range(256)) * (BLOCK // 128)
    with write_vault(path, DataKeys.of({1: b"k" * 32})) as vault:
        vault.write(body)
    assert b"".join(read_vault(path, DataKeys.of({1: b"k" * 32}))) == body
    whole = path.read_bytes()
    for broken in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[: len(whole) // 2]):
        path.write_bytes(broken)
        with pytest.raises(InvalidTag):
            b"".join(read_vault(path, DataKeys.of({1: b"k" * 32})))


def test_a_file_that_fails_halfway_is_not_there(app: Flask, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("vault") / "file"
    with pytest.raises(RuntimeError), write_vault(path, DataKeys.of({1: b"k" * 32})) as vault:
        vault.write(b"half")
        raise RuntimeError
    assert list(path.parent.iterdir()) == []
