"""The application connected as a role that owns nothing: it works as ever, and cannot bend the books."""

from collections.abc import Callable
from datetime import date

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.disbursements.models import Run
from core.disbursements.payout import start_bank_files
from core.disbursements.verify_all import checks
from core.errors import NotFound, Refused
from core.extensions import db
from core.ledger import closing
from core.ledger.posting import Posting
from core.plugin.grants import grant
from core.plugin.tables import owner_engine
from core.users.testing import MakeUser
from tests.disbursements import test_verify_bank
from tests.disbursements.conftest import Campaign
from tests.disbursements.test_verify import TAMPERED, posted
from tests.disbursements.test_verify_bank import banked
from tests.ledger.money import fund, give, take
from tests.ledger.test_guards import REFUSED, books

__all__ = ["banked", "books", "posted"]
pytestmark = pytest.mark.services

#: What the application itself does all day, so that its role may; verify finds what does not fit.
ITS_WORK = ("UPDATE core_budget_line", "INSERT INTO core_allotment", "INSERT INTO core_seal")
MORE = (
    "SET session_replication_role = replica",
    "ALTER TABLE core_entry DISABLE TRIGGER ALL",
    "DROP TRIGGER append_only ON core_entry",
    "DROP INDEX uq_core_payment_payee_item",
    "TRUNCATE core_payment",
    "CREATE TABLE mine (id bigint)",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "UPDATE core_entry SET org_path = '/' WHERE false",
    "UPDATE core_alembic SET version_num = '0001'",
    "INSERT INTO core_chain_head (book, digest) VALUES ('mine', 'x')",
    # Neither a table that stands in for another, nor a guard on a table of one's own.
    "CREATE TEMP TABLE core_run AS SELECT id, 'computing' AS state FROM public.core_run;"
    " DELETE FROM core_payment WHERE payee_id = 1",
    "CREATE TEMP TABLE legs (account_id bigint, amount_fen bigint); CREATE TRIGGER mine AFTER INSERT ON legs"
    " REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION core_keep_balances()",
)


def refused(statement: str) -> bool:
    try:
        db.session.execute(text(statement))
        db.session.commit()
    except DBAPIError:
        return True
    else:
        return False
    finally:
        db.session.rollback()


def test_a_run_is_paid_and_nothing_of_it_can_be_changed(app: Flask, campaign: Campaign, posted: Run) -> None:
    start_bank_files(campaign.finance, posted)
    campaign.run_jobs()
    assert posted.state == "sent"
    statements = [statement for statement, _areas, _words in TAMPERED if not statement.startswith(ITS_WORK)]
    assert len(statements) > 30
    passed = [statement for statement in (*statements, *MORE) if not refused(statement)]
    assert passed == []
    assert list(checks()) == []


def test_what_went_to_the_bank_and_came_back_can_not_be_changed(app: Flask, banked: Run) -> None:
    statements = [statement for statement, _words in test_verify_bank.TAMPERED]
    passed = [one for one in statements if not one.startswith(test_verify_bank.ITS_WORK) and not refused(one)]
    assert passed == []
    assert list(checks()) == []


def test_books_are_kept_and_closed_and_nothing_of_them_can_be_changed(app: Flask, books: Posting) -> None:
    passed = [statement for statement in REFUSED if not refused(statement)]
    assert passed == []
    assert list(checks()) == []


def test_money_is_allotted_and_taken_back_and_a_period_opened_again(
    app: Flask, campaign: Campaign, make_user: MakeUser
) -> None:
    fund(campaign, 1_000, "61")
    (row,) = give(campaign, "61", 400, "6101")
    take(campaign, row, 100)
    for step in (closing.start_closing, closing.close):
        step(campaign.finance, "statutory", date(2014, 1, 1))
    asked = closing.ask_reopening(campaign.finance, "statutory", date(2014, 1, 1), "补记")
    closing.reopen(make_user("finance"), asked.id)
    assert list(checks()) == []


def test_a_role_that_is_not_there_or_too_strong_is_refused(app: Flask, run_command: Callable[..., Result]) -> None:
    missing = run_command("db", "grants", "nobody_of_that_name").exception
    assert isinstance(missing, NotFound)
    assert "no role nobody_of_that_name" in str(missing)
    strong = db.session.scalar(text("SELECT rolname FROM pg_roles WHERE rolsuper LIMIT 1"))
    with owner_engine() as engine, pytest.raises(Refused, match="Nothing can be kept"):
        grant(engine, str(strong))
    with pytest.raises(Refused, match="Only the owner of the tables"):
        grant(db.engine, str(db.engine.url.username))
