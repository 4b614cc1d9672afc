"""``zhijia verify``: sound books say nothing, and each kind of tampering is found and named."""

import json
from datetime import date
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from core.cli import zhijia
from core.disbursements import payout
from core.disbursements.models import Run
from core.extensions import db
from tests.disbursements.conftest import Campaign

pytestmark = pytest.mark.services
DAY = date(2014, 1, 24)


@pytest.fixture
def posted(campaign: Campaign) -> Run:
    """A run that is posted, in a book that also has own funds and an allotment."""
    campaign.fund(10_000, "6101", "6102", "6111")
    run = campaign.approved()
    payout.post(campaign.finance, run, DAY)
    return run


def verify(app: Flask, *options: str) -> Result:
    """Run the command as an administrator does."""
    db.session.rollback()
    return app.test_cli_runner().invoke(zhijia, ["verify", *options])


def tamper(statement: str) -> None:
    """What somebody with the superuser's password can do: triggers off, a row changed, triggers on."""
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    assert db.session.execute(text(statement)).rowcount > 0  # type: ignore[attr-defined]
    db.session.commit()


def test_sound_books_have_no_finding(app: Flask, posted: Run) -> None:
    result = verify(app)
    assert (result.exit_code, len(result.output.splitlines())) == (0, 1)


def test_an_empty_installation_is_sound(app: Flask) -> None:
    assert verify(app).exit_code == 0


def test_the_json_has_a_flag_for_each_area(app: Flask, posted: Run) -> None:
    sound: dict[str, Any] = dict.fromkeys(("balance", "chain", "period", "budget", "run", "coverage"), True)
    assert json.loads(verify(app, "--json").output) == {**sound, "findings": []}


@pytest.mark.parametrize(
    ("statement", "areas"),
    [
        ("UPDATE core_leg SET amount_fen = amount_fen + 1 WHERE line = 1", {"balance", "chain", "run"}),
        ("UPDATE core_leg SET amount_fen = amount_fen * 2", {"chain", "run"}),
        ("UPDATE core_leg SET amount_fen = -amount_fen", {"chain"}),
        ("UPDATE core_entry SET description = 'x' WHERE seq = 2", {"chain"}),
        ("UPDATE core_entry SET effective_on = '2014-01-25' WHERE seq = 4", {"chain"}),
        ("UPDATE core_entry SET digest = sha256('x') WHERE seq = 1", {"chain"}),
        ("DELETE FROM core_entry WHERE seq = 2", {"chain"}),
        ("UPDATE core_chain_head SET seq = seq - 1", {"chain"}),
        ("UPDATE core_payment SET amount_fen = amount_fen + 1 WHERE payee_id = 1", {"run"}),
        ("UPDATE core_payment SET amount_fen = amount_fen + CASE payee_id WHEN 1 THEN 1 ELSE -1 END"
         " WHERE payee_id IN (1, 2)", {"run"}),
        ("UPDATE core_payment SET payee_name = '别人' WHERE payee_id = 1", {"run"}),
        ("UPDATE core_payment SET account_tail = '9999' WHERE payee_id = 1", {"run"}),
        ("DELETE FROM core_payment WHERE payee_id = 1", {"run", "coverage"}),
        ("UPDATE core_run SET total_fen = total_fen + 1", {"run"}),
        ("UPDATE core_run_chunk SET candidates = candidates + 1, paid = paid + 1 WHERE org_path = '/61/6101/'",
         {"run", "coverage"}),
        ("UPDATE core_budget_line SET used_fen = used_fen - 1", {"budget"}),
        ("UPDATE core_allotment SET amount_fen = amount_fen + 1", {"budget"}),
    ],
)  # fmt: skip
def test_tampering_is_found_and_ends_with_exit_code_1(app: Flask, posted: Run, statement: str, areas: set[str]) -> None:
    tamper(statement)
    result = verify(app, "--json")
    said = json.loads(result.output)
    assert result.exit_code == 1
    assert {area for area in said if said[area] is False} >= areas
    lines = verify(app).output.splitlines()
    assert len(lines) == len(said["findings"]) > 0


def test_a_changed_fen_is_named_with_its_entry(app: Flask, posted: Run) -> None:
    tamper("UPDATE core_leg SET amount_fen = amount_fen + 1 WHERE line = 1 AND entry_id ="
           " (SELECT id FROM core_entry WHERE seq = 5)")  # fmt: skip
    output = verify(app).output
    assert "statutory/5" in output
    assert "statutory/4" not in output


def test_a_second_payment_of_one_benefit_is_found(app: Flask, posted: Run) -> None:
    db.session.execute(text("DROP INDEX uq_core_payment_payee_item"))
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.execute(text(
        "INSERT INTO core_payment SELECT run_id + 1, payee_id, program_year_id, item, chunk_org_id, org_id, org_path,"
        " amount_fen, basis, payee_name, account_tail, false, quantity, purpose, period FROM core_payment"
        " WHERE payee_id = 1"))  # fmt: skip
    db.session.commit()
    assert "1" in verify(app).output
    assert verify(app).exit_code == 1
