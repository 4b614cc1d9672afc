"""Whoever writes to the tables by hand meets the same rules; what gets past them is found by verify."""

from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from core.audit.services import SYSTEM
from core.extensions import db
from core.ledger import closing
from core.ledger.booking import post, reverse
from core.ledger.holds import hold, settle
from core.ledger.posting import Posting, post_entries
from core.ledger.verify import Finding, verify_balance, verify_budgets, verify_chain
from core.ledger.verify_books import verify_books
from tests.disbursements.conftest import Campaign
from tests.ledger.conftest import DAY

pytestmark = pytest.mark.services

ENTRY = (
    "INSERT INTO core_entry (book, seq, org_id, org_path, effective_on, kind, title, description, scope, key, previous,"
    " digest, reverses) SELECT book, seq + 1, org_id, org_path, {day}, kind, title, '', 'hand', '1', digest, 'x',"
    " {reverses} FROM core_entry WHERE book = 'statutory' ORDER BY seq DESC LIMIT 1"
)
LEGS = (
    "INSERT INTO core_leg SELECT (SELECT max(id) FROM core_entry), line, account_id, {sign} * amount_fen FROM core_leg"
    " WHERE entry_id = {entry}"
)

#: What is tried, and what the database answers.
REFUSED: dict[str, str] = {
    "UPDATE core_account SET name = 'x'": "append-only",
    "UPDATE core_account SET side = -side": "append-only",
    "DELETE FROM core_account": "append-only",
    "UPDATE core_account SET closed_on = NULL WHERE closed_on IS NOT NULL": "append-only",
    "UPDATE core_account SET closed_on = '2014-01-01' WHERE code = '102'": "not empty",
    "UPDATE core_account SET floor_fen = 10001 WHERE book = 'insurance' AND side = 1": "ck_core_account_balance_floor",
    "INSERT INTO core_account (book, org_id, org_path, code, name, currency, side) SELECT book, org_id, org_path, '9',"
    " 'x', 'USD', 1 FROM core_account LIMIT 1": "fk_core_account_book_currency",
    "UPDATE core_account_balance SET posted_fen = 0": "kept by the database",
    "DELETE FROM core_account_balance": "kept by the database",
    "TRUNCATE core_account_balance": "kept by the database",
    "UPDATE core_chain_head SET seq = 1": "kept by the database",
    "UPDATE core_book SET currency = 'USD'": "append-only",
    "DELETE FROM core_period": "a period stays",
    "TRUNCATE core_period CASCADE": "append-only|kept by",
    "UPDATE core_period SET state = 'open' WHERE state = 'closed'": "two persons",
    "UPDATE core_period SET state = 'closed' WHERE state = 'open'": "does not go from open to closed",
    "INSERT INTO core_period_balance SELECT 'statutory', '2014-02-01', account_id, 1 FROM core_account_balance":
        "while their period is closing",
    "DELETE FROM core_period_balance": "balances of a closed period stay",
    "UPDATE core_period_balance SET posted_fen = 1": "never rewritten",
    "UPDATE core_hold SET amount_fen = 1": "settled, voided or expired once",
    "UPDATE core_hold SET state = 'open', entry_id = NULL, settled_fen = 0": "settled, voided or expired once",
    "DELETE FROM core_hold": "settled, voided or expired once",
    "INSERT INTO core_hold (scope, key, digest, budget_line_id, amount_fen, held_on, state) SELECT 'x', 'y', 'z',"
    " budget_line_id, 1, held_on, 'void' FROM core_hold LIMIT 1": "begins open",
    "UPDATE core_refusal SET sentence = 'x'": "append-only",
    "DELETE FROM core_refusal": "append-only",
    ENTRY.format(day="'2014-01-31'", reverses="NULL"): "period 2014-01-01 of book statutory is not open",
    ENTRY.format(day="'2013-12-31'", reverses="NULL"): "period 2013-12-01 of book statutory is not open",
}  # fmt: skip


@pytest.fixture
def books(campaign: Campaign, spending: Posting, line_id: int) -> Posting:
    """A closed January, an open February with a settled hold, a reversal, a refusal, and a closed account."""
    insured = replace(spending, book="insurance", key="i", legs=[("102", 10_000), ("231", -10_000)])
    post(SYSTEM, insured)
    with pytest.raises(Exception, match="lacks"):
        post(SYSTEM, replace(insured, key="r", legs=[("231", 10_001), ("102", -10_001)]))
    for step in (closing.start_closing, closing.close):
        step(SYSTEM, "statutory", DAY)
    held = hold(SYSTEM, scope="test", key="1", budget_line_id=line_id, amount_fen=600).hold
    february = replace(spending, effective_on=DAY.replace(month=2))
    settle(SYSTEM, hold_id=held.id, posting=february)
    for code in ("407", "408"):
        income = replace(february, key=code, legs=[("135", 5), (code, -5)])
        entry = post(SYSTEM, income).entry
        reverse(SYSTEM, scope="back", key=code, entry_id=entry.id, effective_on=february.effective_on, reason="误记")
    db.session.execute(text("UPDATE core_account SET closed_on = '2014-02-03' WHERE code = '407'"))
    db.session.commit()
    assert findings() == []
    return income


def findings() -> list[Finding]:
    return [*verify_balance(), *verify_chain(), *verify_books(), *verify_budgets()]


@pytest.mark.as_owner
def test_the_database_refuses_by_itself(books: Posting) -> None:
    for statement, answer in REFUSED.items():
        with pytest.raises(DBAPIError, match=answer):
            db.session.execute(text(statement))
            db.session.commit()
        db.session.rollback()
    assert findings() == []


def test_the_database_refuses_entries_that_do_not_undo_what_they_say(books: Posting) -> None:
    shut, first = db.session.scalars(text("SELECT reverses FROM core_entry WHERE reverses IS NOT NULL ORDER BY id"))
    back = db.session.scalar(text("SELECT max(id) FROM core_entry"))
    funds = db.session.scalar(text("SELECT min(id) FROM core_entry WHERE book = 'statutory'"))
    day = "'2014-02-03'"
    tried = {
        (ENTRY.format(day=day, reverses=first), LEGS.format(sign="-1", entry=first)): "uq_core_entry_reverses",
        (ENTRY.format(day=day, reverses=back), LEGS.format(sign="-1", entry=back)): "does not undo",
        (ENTRY.format(day=day, reverses=funds), LEGS.format(sign="1", entry=funds)): "does not undo",
        (ENTRY.format(day=day, reverses="NULL"), LEGS.format(sign="1", entry=shut)): "a closed account takes no legs",
    }
    for statements, answer in tried.items():
        with pytest.raises(DBAPIError, match=answer):
            for statement in statements:
                db.session.execute(text(statement))
            db.session.commit()
        db.session.rollback()


def test_the_database_wants_a_hold_for_what_a_program_spends(books: Posting) -> None:
    spent = replace(books, scope="hand", key="1", legs=[("50205", 1), ("102", -1)])
    post_entries(SYSTEM, [replace(spent, key="2", legs=[("50205", 1), ("50204", -1)])])
    db.session.commit()
    post_entries(SYSTEM, [spent])
    with pytest.raises(DBAPIError, match="spends on a program and settles no hold"):
        db.session.commit()
    db.session.rollback()
    assert findings() == []


TAMPERED: dict[str, tuple[str, str]] = {
    "UPDATE core_account_balance SET posted_fen = posted_fen + 1 WHERE side = -1": ("balance", "keeps"),
    "DELETE FROM core_account_balance": ("balance", "keeps"),
    "UPDATE core_account SET floor_fen = 1 WHERE floor_fen = 0": ("balance", "keeps"),
    "UPDATE core_period_balance SET posted_fen = posted_fen + 1": ("period", "other balances on 2 accounts"),
    "DELETE FROM core_period_balance": ("period", "other balances on 2 accounts"),
    "INSERT INTO core_period (book, first_on) VALUES ('statutory', '2013-12-01')": ("period", "2013-12 of statutory"),
    "UPDATE core_leg SET amount_fen = 2 * amount_fen WHERE entry_id = (SELECT min(id) FROM core_entry)":
        ("period", "other balances"),
    "UPDATE core_leg SET amount_fen = 2 * amount_fen WHERE entry_id = (SELECT max(reverses)"
    " FROM core_entry)": ("balance", "does not undo another one"),
    "UPDATE core_hold SET settled_fen = 599": ("budget", "was not settled with what"),
    "UPDATE core_hold SET state = 'open', entry_id = NULL, settled_fen = 0": ("budget", "budget line"),
    "DELETE FROM core_hold": ("budget", "spends on a program and is on no budget line"),
    "UPDATE core_entry SET happened_on = '2014-01-01' WHERE reverses IS NOT NULL": ("chain", "not as it was posted"),
    "UPDATE core_chain_head SET seq = seq + 1": ("chain", "head of book"),
    "INSERT INTO core_refusal SELECT scope, key, 'x', 'x' FROM core_entry": ("balance", "refused and posted as well"),
}  # fmt: skip


@pytest.mark.as_owner
def test_what_the_owner_of_the_database_changes_is_found(books: Posting) -> None:
    for statement, (area, sentence) in TAMPERED.items():
        db.session.execute(text("SET LOCAL session_replication_role = replica"))
        db.session.execute(text(statement))
        found = findings()
        db.session.rollback()
        assert any(one.area == area and sentence in one.sentence for one in found), (statement, found)
    assert findings() == []
