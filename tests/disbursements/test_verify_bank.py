"""Tampering with what went to the bank and what came of it: every kind is found and named, or refused at once."""

from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from core.config import settings_of
from core.disbursements import payout
from core.disbursements.banking import statements
from core.disbursements.banking.aside import set_aside
from core.disbursements.banking.handing import confirm, hand_out
from core.disbursements.banking.references import reference_of
from core.disbursements.models import BankFile, Run
from core.disbursements.verify_all import checks
from core.extensions import db
from core.users.access import today
from core.users.testing import MakeUser
from tests.disbursements.banking import as_csv, payments, row, send_in
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_aside import change, written
from tests.disbursements.test_statements import HEADINGS
from tests.disbursements.test_verify import tamper, verify

pytestmark = pytest.mark.services


@pytest.fixture
def banked(campaign: Campaign, make_user: MakeUser) -> Run:
    """Run 1 of seven at the bank: payee 1 set aside, payees 2 and 3 failed, payee 7 not known yet, its statement
    matched; a return file was refused. Run 2 in goods, handed out in Yangling, where nobody came, and in Tongchuan.
    """
    campaign.fund(20_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, today())
    first, second, third, *others, last = payments(run)
    change(first.payee_id, None)
    set_aside(campaign.finance, run)
    assert written(campaign, run).state == "done"
    send_in(campaign, run, as_csv([row(second, "failed"), row(third, "failed"), *map(row, others)]))
    assert send_in(campaign, run, as_csv([row(last, "x")]), "错.csv").faults == 1
    goods = campaign.approved(scheme="aid.bags")
    payout.post(campaign.finance, goods, today())
    other = make_user("finance")
    for code, absent in (("6111", reference_of(goods.id, last.payee_id)), ("6102", "")):
        hand_out(campaign.finance, goods, campaign.orgs[code], today(), absent)
        confirm(other, goods, campaign.orgs[code])
    debits = [(today().isoformat(), "28.56", "支出", "代发户", "代发"), (today().isoformat(), "1", "支出", "", "")]
    statements.upload(campaign.finance, campaign.orgs["6102"], BytesIO(as_csv(debits, HEADINGS)), "对账单.csv")
    assert (run.id, goods.id, run.state, goods.state) == (1, 2, "sent", "posted")
    return run


FILE, BACK, LISTS = "is not the sum of its payments", "is not as it was taken over", "not what was handed out"
MARKED, BOOKED = "other payments are marked as returned", "is not what the ledger took back"
#: What an owner of the database does, and the words of a finding.
TAMPERED: list[tuple[str, str]] = [
    ("UPDATE core_bank_file SET total_fen = total_fen + 1 WHERE org_path = '/61/6102/'", FILE),
    ("UPDATE core_bank_file SET lines = lines - 1 WHERE org_path = '/61/6102/'", FILE),
    ("UPDATE core_bank_file SET lines_digest = sha256('x') WHERE org_path = '/61/6102/'", FILE),
    ("INSERT INTO core_bank_file (run_id, org_id, org_path, format, name, lines, total_fen, digest)"
     " SELECT 2, org_id, org_path, format, 'x', lines, total_fen, digest FROM core_bank_file", FILE),
    ("DELETE FROM core_bank_file WHERE org_path = '/61/6102/'", "without a bank file"),
    ("UPDATE core_payment_result SET state = 'paid' WHERE (run_id, payee_id) = (1, 2)", BACK),
    ("UPDATE core_payment_result SET state = 'failed' WHERE (run_id, payee_id) = (1, 4)", BACK),
    ("UPDATE core_payment_result SET state = CASE state WHEN 'paid' THEN 'failed' ELSE 'paid' END"
     " WHERE run_id = 1 AND payee_id IN (2, 4)", BOOKED),
    ("UPDATE core_payment_result SET state = CASE state WHEN 'paid' THEN 'failed' ELSE 'paid' END"
     " WHERE run_id = 1 AND payee_id IN (2, 4)", MARKED),
    ("DELETE FROM core_payment_result WHERE (run_id, payee_id) = (1, 2)", BOOKED),
    ("DELETE FROM core_payment_result WHERE (run_id, payee_id) = (1, 4)", BACK),
    ("INSERT INTO core_payment_result SELECT 1, 7, 'paid', '', on_day, return_id FROM core_payment_result"
     " WHERE (run_id, payee_id) = (1, 4)", BACK),
    ("INSERT INTO core_payment_result VALUES (1, 7, 'paid', '', current_date, NULL)", LISTS),
    ("INSERT INTO core_payment_result VALUES (1, 7, 'paid', '', current_date, 999)", BACK),
    ("INSERT INTO core_payment_result VALUES (1, 999, 'failed', '', current_date, 1)", MARKED),
    ("UPDATE core_payment_result SET return_id = 1 WHERE (run_id, payee_id) = (1, 4)", BACK),
    ("UPDATE core_payment_result SET return_id = 2 WHERE (run_id, payee_id) = (1, 1)", BOOKED),
    ("UPDATE core_bank_return SET paid = paid + 1 WHERE id = 2", BACK),
    ("UPDATE core_bank_return SET failed = failed - 1 WHERE id = 2", BACK),
    ("UPDATE core_bank_return SET total_fen = total_fen + 1 WHERE id = 1", BACK),
    ("UPDATE core_bank_return SET lines = lines + 1 WHERE id = 2", BACK),
    ("UPDATE core_bank_return SET state = 'taken' WHERE id = 3", BACK),
    ("UPDATE core_bank_return SET state = 'refused' WHERE id = 2", BACK),
    ("UPDATE core_bank_return SET kind = 'bank' WHERE id = 1", FILE),
    ("UPDATE core_bank_return SET run_id = 2 WHERE id = 2", BACK),
    ("DELETE FROM core_bank_return WHERE id = 2", BACK),
    ("DELETE FROM core_bank_return_fault", BACK),
    ("UPDATE core_payment SET returned = true WHERE (run_id, payee_id) = (1, 4)", MARKED),
    ("UPDATE core_payment SET returned = false WHERE (run_id, payee_id) = (1, 2)", MARKED),
    ("UPDATE core_payment SET returned = NOT returned WHERE run_id = 1 AND payee_id IN (2, 4)", MARKED),
    ("UPDATE core_hand_out SET absent = '[]' WHERE org_path = '/61/6111/'", LISTS),
    ("UPDATE core_hand_out SET absent = '[5]' WHERE org_path = '/61/6102/'", LISTS),
    ("UPDATE core_hand_out SET on_day = on_day - 1 WHERE org_path = '/61/6111/'", LISTS),
    ("UPDATE core_hand_out SET confirmed_by = NULL, confirmed_at = NULL WHERE org_path = '/61/6111/'", LISTS),
    ("DELETE FROM core_hand_out WHERE org_path = '/61/6102/'", LISTS),
    ("DELETE FROM core_payment_result WHERE (run_id, payee_id) = (2, 5)", LISTS),
    ("UPDATE core_payment_result SET on_day = on_day - 1 WHERE (run_id, payee_id) = (2, 5)", LISTS),
    ("UPDATE core_statement_line SET fen = fen - 1 WHERE run_id = 1", "matched with a bank file of another sum"),
    ("UPDATE core_statement_line SET fen = fen - 1 WHERE run_id IS NULL", "is not as it was taken in"),
    ("DELETE FROM core_statement_line WHERE run_id IS NULL", "is not as it was taken in"),
    ("DELETE FROM core_statement_line", "is not as it was taken in"),
]  # fmt: skip
#: What the application itself does all day, so that its role may; verify finds what does not fit.
ITS_WORK = "INSERT INTO core_bank_file"


@pytest.mark.as_owner
def test_each_kind_of_tampering_is_found_and_named(app: Flask, banked: Run) -> None:
    assert verify(app).exit_code == 0
    for statement, words in TAMPERED:
        tamper(statement, commit=False)
        found = [one.sentence for one in checks()]
        db.session.rollback()
        assert any(words in sentence for sentence in found), (statement, found)
    assert list(checks()) == []


@pytest.mark.as_owner
def test_each_kind_is_refused_where_the_guards_are_on(banked: Run) -> None:
    passed = [statement for statement, _words in TAMPERED if not refused(statement)]
    assert passed == [statement for statement, _words in TAMPERED if statement.startswith(ITS_WORK)]


def refused(statement: str) -> bool:
    """Whether a guard of the tables says no."""
    try:
        db.session.execute(text(statement))
    except IntegrityError:
        return True
    else:
        return False
    finally:
        db.session.rollback()


def vault(name: str) -> Path:
    return settings_of().files / "bank" / name


@pytest.mark.as_owner
def test_the_bytes_of_a_bank_file_are_those_on_record(app: Flask, banked: Run) -> None:
    first, second, third = db.session.scalars(select(BankFile).order_by(BankFile.name)).all()
    tamper("UPDATE core_bank_file SET digest = sha256('x') WHERE org_path = '/61/6101/'")
    vault(second.name).write_bytes(vault(first.name).read_bytes())
    content = bytearray(vault(third.name).read_bytes())
    content[-1] ^= 1
    vault(third.name).write_bytes(content)
    assert verify(app).output.splitlines() == [
        f"The bank file {first.name} is not the one whose digest is on record.",
        f"The bank file {second.name} is not the one whose digest is on record.",
        f"The bank file {third.name} is damaged or no longer there.",
    ]
    vault(third.name).unlink()
    assert f"The bank file {third.name} is damaged or no longer there." in verify(app).output
