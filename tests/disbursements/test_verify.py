"""``zhijia verify``: sound books say nothing, and each kind of tampering is found and named."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text, update

from core.audit.services import SYSTEM
from core.cli import zhijia
from core.disbursements import payout
from core.disbursements.models import Run
from core.disbursements.verify_all import AREAS, checks, verify_all
from core.extensions import db
from core.jobs.models import Job
from core.jobs.services import enqueue
from core.ledger import booking
from core.ledger.models import ChainHead, Entry, Leg
from core.ledger.posting import Posting, chained, content_digest
from core.org.models import Org
from core.tasks.models import Message
from core.users.models import User
from core.wall import beyond_scope
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


def tamper(statement: str, *, commit: bool = True) -> None:
    """What somebody with the superuser's password can do: triggers off, a row changed, triggers on."""
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    assert db.session.execute(text(statement)).rowcount > 0, statement  # type: ignore[attr-defined]
    if commit:
        db.session.commit()


def test_sound_books_have_no_finding(app: Flask, posted: Run) -> None:
    result = verify(app)
    assert (result.exit_code, len(result.output.splitlines())) == (0, 1)


def test_an_empty_installation_is_sound(app: Flask) -> None:
    assert verify(app).exit_code == 0


def test_the_json_has_a_flag_for_each_area(app: Flask, posted: Run) -> None:
    sound: dict[str, Any] = dict.fromkeys(AREAS, True)
    assert json.loads(verify(app, "--json").output) == {**sound, "findings": []}


#: What an owner of the database does, and which areas and words the findings must have.
TAMPERED: list[tuple[str, set[str], str]] = [
    ("UPDATE core_leg SET amount_fen = amount_fen + 1 WHERE line = 1", {"balance", "chain", "run"}, "does not balance"),
    ("UPDATE core_leg SET amount_fen = amount_fen * 2", {"chain", "run"}, "is not as it was posted"),
    ("UPDATE core_leg SET amount_fen = -amount_fen", {"chain"}, "is not as it was posted"),
    ("INSERT INTO core_leg SELECT 999, line, account_id, amount_fen FROM core_leg WHERE entry_id = 1",
     {"balance"}, "legs of an entry 999"),
    ("UPDATE core_account_balance SET posted_fen = posted_fen - 1", {"balance"}, "keeps"),
    ("UPDATE core_entry SET description = 'x' WHERE seq = 2", {"chain"}, "statutory/2 is not as it was posted"),
    ("UPDATE core_entry SET effective_on = '2014-01-25' WHERE seq = 4", {"chain"}, "statutory/4 is not as"),
    ("UPDATE core_entry SET digest = sha256('x') WHERE seq = 1", {"chain"}, "statutory/1 is not as"),
    ("DELETE FROM core_entry WHERE seq = 2", {"chain", "balance", "budget"}, "statutory/2 is missing"),
    ("UPDATE core_chain_head SET seq = seq - 1", {"chain"}, "head of book statutory"),
    ("UPDATE core_payment SET amount_fen = amount_fen + 1 WHERE payee_id = 1", {"run"}, "its payments come to"),
    ("UPDATE core_payment SET amount_fen = amount_fen + CASE payee_id WHEN 1 THEN 1 ELSE -1 END"
     " WHERE payee_id IN (1, 2)", {"run"}, "not as they were sealed (1 blocks, from payee 1)"),
    ("UPDATE core_payment SET payee_name = '别人' WHERE payee_id = 1", {"run"}, "not as they were sealed"),
    ("UPDATE core_payment SET account_tail = '9999' WHERE payee_id = 1", {"run"}, "not as they were sealed"),
    ("UPDATE core_payment mine SET payee_name = other.payee_name, account_tail = other.account_tail"
     " FROM core_payment other WHERE mine.amount_fen = other.amount_fen AND mine.payee_id <> other.payee_id"
     " AND mine.payee_id IN (1, 2, 3) AND other.payee_id IN (1, 2, 3)", {"run"}, "not as they were sealed"),
    ("DELETE FROM core_payment WHERE payee_id = 1", {"run", "coverage"}, "not every candidate"),
    ("INSERT INTO core_payment SELECT run_id, 999, program_year_id, item, chunk_org_id, org_id, org_path, amount_fen,"
     " basis, payee_name, account_tail, false, quantity, purpose, period FROM core_payment WHERE payee_id = 1",
     {"run", "coverage"}, "its payments come to"),
    ("INSERT INTO core_payment SELECT 999, 999, program_year_id, item, chunk_org_id, org_id, org_path, amount_fen,"
     " basis, payee_name, account_tail, false, quantity, purpose, period FROM core_payment WHERE payee_id = 1",
     {"run"}, "1 payments name run 999"),
    ("UPDATE core_payment SET program_year_id = 999 WHERE payee_id < 3", {"run"}, "2 payments name run 1"),
    ("UPDATE core_run SET total_fen = total_fen + 1", {"run"}, "not the sum of its parts"),
    ("UPDATE core_run SET settings = settings || '{\"pool\": 1}'", {"run"}, "settings that its year never had"),
    ("UPDATE core_run SET title = 'x'", {"run"}, "What was decided about run 1"),
    ("UPDATE core_run SET digest = NULL", {"run"}, "the entry seals other payments"),
    ("UPDATE core_run SET state = 'cancelled'", {"run", "budget"}, "payments name run 1"),
    ("UPDATE core_run_approval SET comment = 'x'", {"run"}, "What was decided about run 1"),
    ("UPDATE core_run_approval SET approved = false", {"run"}, "Run 1 lacks approvals in stage 1"),
    ("DELETE FROM core_run_approval", {"run"}, "Run 1 lacks approvals in stage 1"),
    ("UPDATE core_run_approval SET user_id = (SELECT created_by FROM core_run)", {"run"}, "approved by who made"),
    ("UPDATE core_run SET stages = '[]'", {"run"}, "What was decided about run 1"),
    ("DELETE FROM core_seal WHERE no = 0", {"run"}, "not as they were sealed"),
    ("INSERT INTO core_seal SELECT 999, chunk_org_id, no, 1, 2, 2, 3, digest FROM core_seal", {"run"},
     "Run 999 has 1 sealed blocks"),
    ("UPDATE core_run_chunk SET candidates = candidates + 1, paid = paid + 1 WHERE org_path = '/61/6101/'",
     {"run", "coverage"}, "not every candidate"),
    ("UPDATE core_run_chunk SET entry_id = NULL WHERE org_path = '/61/6101/'", {"run"}, "belongs to no posted run"),
    ("UPDATE core_budget_line SET used_fen = used_fen - 1", {"budget"}, "The budget line of"),
    ("DELETE FROM core_budget_line", {"budget"}, "The budget line of"),
    ("UPDATE core_allotment SET amount_fen = amount_fen + 1", {"budget"}, "and its entry do not say the same"),
    ("DELETE FROM core_allotment WHERE org_path = '/61/6101/'", {"budget"}, "and its entry do not say the same"),
    ("INSERT INTO core_allotment (program_year_id, key, org_id, org_path, source, weight, amount_fen, entry_id)"
     " SELECT program_year_id, 'x', org_id, org_path, source, 1, 1, entry_id FROM core_allotment", {"budget"},
     "and its entry do not say the same"),
    ("INSERT INTO core_allotment (program_year_id, key, org_id, org_path, source, weight, amount_fen, entry_id,"
     " takes_back) SELECT program_year_id, 'x', org_id, org_path, source, 1, amount_fen + 1, entry_id, id"
     " FROM core_allotment", {"budget"}, "More was taken back of allotment 1"),
]  # fmt: skip


@pytest.mark.as_owner
def test_each_kind_of_tampering_is_found_and_named(app: Flask, posted: Run) -> None:
    for statement, areas, words in TAMPERED:
        tamper(statement, commit=False)
        found = list(checks())
        db.session.rollback()
        assert {one.area for one in found} >= areas, (statement, found)
        assert any(words in one.sentence for one in found), (statement, found)
    assert list(checks()) == []


@pytest.mark.as_owner
def test_findings_are_a_line_each_and_end_with_exit_code_1(app: Flask, posted: Run) -> None:
    tamper("UPDATE core_payment SET amount_fen = amount_fen + 1 WHERE payee_id = 1")
    result = verify(app, "--json")
    said = json.loads(result.output)
    assert (result.exit_code, said["run"], said["chain"]) == (1, False, True)
    assert verify(app).output.splitlines() == said["findings"]


@pytest.mark.as_owner
def test_an_entry_that_looks_right_is_found_where_nothing_accounts_for_it(app: Flask, posted: Run) -> None:
    """With the digest that it should have and the head moved: the balances, and the run it claims, tell."""
    number, last = insert_like_the_last()
    assert last.scope == "run"
    found = [one.sentence for one in verify_all()]
    assert f"Entry statutory/{number} belongs to no posted run." in found
    assert sum("keeps" in sentence for sentence in found) == 2
    assert not any("posted." in sentence for sentence in found if "belongs" not in sentence)


def insert_like_the_last() -> tuple[int, Entry]:
    """Another entry of the same legs after the last one, as the posting would have made it but for the triggers."""
    last = db.session.scalars(select(Entry).order_by(Entry.seq.desc()).limit(1)).one()
    legs = [(leg.line, leg.account_id, leg.amount_fen) for leg in last.legs]
    names = [column.key for column in Entry.__table__.columns if column.key not in ("id", "transaction")]
    made = Entry(**{name: getattr(last, name) for name in names})
    made.seq, made.key, made.previous = last.seq + 1, "999:1", last.digest
    made.digest = chained(last.digest, content_digest(made, legs))
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    db.session.add(made)
    db.session.flush()
    for line, account_id, amount in legs:
        db.session.add(Leg(entry_id=made.id, line=line, account_id=account_id, amount_fen=amount))
    head = {"seq": made.seq, "digest": made.digest}
    db.session.execute(update(ChainHead).where(ChainHead.book == made.book).values(**head))
    db.session.commit()
    return made.seq, last


@pytest.mark.as_owner
def test_what_is_posted_meanwhile_is_not_missed_by_half(app: Flask, posted: Run) -> None:
    """Verify sees one moment, whatever is posted between two of its questions."""
    found = verify_all()
    tamper("UPDATE core_payment SET payee_name = '别人' WHERE payee_id = 1")
    sentences = [next(found).sentence]  # it has begun, and has asked for the books already

    def post_more() -> None:
        with app.app_context(), beyond_scope("a test"):
            org = db.session.scalars(select(Org).where(Org.code == "6101")).one()
            legs = [("50205", 600), ("102", -600)]
            booking.post(SYSTEM, Posting(scope="test", key="1", kind="test", title="支出", description="",
                                         org_id=org.id, org_path=org.path, program_year_id=None, effective_on=DAY,
                                         legs=legs))  # fmt: skip
            db.session.remove()

    thread = Thread(target=post_more)
    thread.start()
    thread.join()
    sentences += [one.sentence for one in found]
    assert len(sentences) == 1
    assert len(list(verify_all())) == 1


@pytest.mark.as_owner
def test_what_cannot_be_verified_is_no_finding(app: Flask, posted: Run, tmp_path: Path) -> None:
    result = verify(app, "--heads", str(tmp_path / "none.jsonl"))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "could not be verified: FileNotFoundError" in result.stderr
    db.session.execute(text("ALTER TABLE core_leg RENAME TO core_leg_away"))
    db.session.commit()
    assert verify(app).exit_code == 2


@pytest.mark.as_owner
def test_every_night_administrators_are_told_of_what_is_found(
    app: Flask, posted: Run, make_user: Callable[..., User], run_jobs: Callable[[], int]
) -> None:
    admin, _below, _clerk = make_user("admin"), make_user("admin", "6101"), make_user("clerk")

    def night() -> Job:
        job = enqueue("disbursements.verify", SYSTEM, "/61/")
        run_jobs()
        return job

    assert night().state == "done"
    assert db.session.scalars(select(Message.kind)).all() == ["runs.approved"]
    tamper("UPDATE core_payment SET payee_name = '别人' WHERE payee_id = 1")
    job = night()
    assert job.state == "failed"
    assert "Verifying found 1 things, the first: Run 1" in str(job.error)
    told = db.session.scalars(select(Message).where(Message.kind == "runs.verified")).one()
    assert (told.user_id, told.data, told.address) == (admin.id, {"count": 1}, {"job_id": job.id})


@pytest.mark.as_owner
def test_a_changed_fen_is_named_with_its_entry(app: Flask, posted: Run) -> None:
    tamper("UPDATE core_leg SET amount_fen = amount_fen + 1 WHERE line = 1 AND entry_id ="
           " (SELECT id FROM core_entry WHERE seq = 5)")  # fmt: skip
    output = verify(app).output
    assert "statutory/5" in output
    assert "statutory/4" not in output


@pytest.mark.as_owner
def test_a_second_payment_of_one_benefit_is_found(app: Flask, posted: Run) -> None:
    db.session.execute(text("DROP INDEX uq_core_payment_payee_item"))
    tamper(
        "INSERT INTO core_payment SELECT run_id + 1, payee_id, program_year_id, item, chunk_org_id, org_id, org_path,"
        " amount_fen, basis, payee_name, account_tail, false, quantity, purpose, period FROM core_payment"
        " WHERE payee_id = 1"
    )
    result = verify(app)
    assert "Payee 1 is paid “aid” twice, in the runs 1, 2." in result.output
    assert result.exit_code == 1
