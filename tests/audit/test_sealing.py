"""Blocks of the audit trail: what is committed is sealed once, nobody waits for it, and every forgery is named."""

import threading
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from core.audit import sealing
from core.audit.models import AuditLine, AuditSeal
from core.audit.sealing import head, seal
from core.audit.services import SYSTEM, record
from core.audit.verify import verify_audit
from core.data_keys import DataKeys
from core.disbursements.verify_all import verify_all
from core.extensions import db
from core.jobs.services import enqueue
from core.ledger import heads
from core.org.models import Org
from core.users.testing import MakeUser
from tests.jobs.conftest import wait_until

pytestmark = pytest.mark.services
KEY = DataKeys.read("6b" * 32)

INSERT = "INSERT INTO core_audit (at, actor, action, object, org_path)"


def write(count: int = 3) -> list[int]:
    """So many lines, committed; their ids."""
    for number in range(count):
        record(SYSTEM, "run.compute", f"run:{number}", "/61/", comment="同意")
    db.session.commit()
    return list(db.session.scalars(select(AuditLine.id).order_by(AuditLine.id.desc()).limit(count)))[::-1]


def wait_for_others() -> None:
    """Until all transactions that run now have ended: a test beside this one may share the server, and a block is
    settled only when none is left that could still write a line before it.
    """
    horizon = text("SELECT pg_snapshot_xmax(s)::text::bigint, pg_snapshot_xmin(s)::text::bigint FROM"
                   " pg_current_snapshot() s")  # fmt: skip

    def bounds() -> tuple[int, int]:
        newest, oldest = db.session.execute(horizon).one()
        db.session.rollback()
        return newest, oldest

    running, _oldest = bounds()
    wait_until(lambda: bounds()[1] >= running, seconds=150)


def findings() -> list[str]:
    found = list(verify_audit())
    db.session.rollback()
    return found


def as_owner(*statements: str, **names: object) -> None:
    """What only who owns the database could do, past every guard."""
    db.session.execute(text("SET LOCAL session_replication_role = replica"))
    for statement in statements:
        db.session.execute(text(statement), names)
    db.session.commit()


def test_every_committed_line_is_sealed_once(app: Flask) -> None:
    assert head().no == 0
    first = write()
    assert seal() == 3
    assert seal() == 0
    second = write(2)
    assert seal() == 2
    blocks = db.session.scalars(select(AuditSeal).order_by(AuditSeal.no)).all()
    assert [(block.no, block.count, block.last_id) for block in blocks] == [(1, 3, first[-1]), (2, 2, second[-1])]
    assert [block.previous for block in blocks] == [sealing.FIRST, blocks[0].digest]
    assert head() == (2, blocks[1].digest.hex())
    assert findings() == []


def test_large_amounts_are_sealed_in_several_blocks(app: Flask) -> None:
    write(5)
    assert seal(2) == 5
    assert list(db.session.scalars(select(AuditSeal.count).order_by(AuditSeal.no))) == [2, 2, 1]
    assert findings() == []


def test_who_is_still_at_it_holds_nobody_up_and_is_sealed_later(app: Flask) -> None:
    """A line with a lower id that is committed after its neighbours were sealed; and one that never is."""
    with db.engine.connect() as slow, db.engine.connect() as lost:
        add = text("INSERT INTO core_audit (actor, action, object, org_path) VALUES ('x', 'run.post', 'run:9', '/')")
        slow.execute(add)
        lost.execute(add)
        write(2)
        assert seal() == 2
        lost.rollback()
        write(1)
        assert seal() == 1
        slow.commit()
        assert seal() == 1
        assert findings() == []
        write(1)
        assert seal() == 1
    assert findings() == []
    assert [len(block.lines) for block in db.session.scalars(select(AuditSeal).order_by(AuditSeal.no))] == [1, 1, 1, 1]


def test_two_who_seal_at_once_make_one_chain(app: Flask) -> None:
    write(20)

    def work() -> None:
        with app.app_context():
            seal(3)
            db.session.remove()

    threads = [threading.Thread(target=work) for _each in range(3)]
    for thread in threads:
        thread.start()
    write(20)
    for thread in threads:
        thread.join()
    seal()
    assert sum(db.session.scalars(select(AuditSeal.count))) == 40
    assert findings() == []


FORGED: dict[str, tuple[str, Callable[[list[int]], list[str]]]] = {
    "another text": (
        "UPDATE core_audit SET action = 'run.approve' WHERE id = :second",
        lambda ids: [f"Line {ids[1]} of the audit trail is not as it was written."],
    ),
    "another union": (
        "UPDATE core_audit SET org_path = '/61/6102/' WHERE id = :second",
        lambda ids: [f"Line {ids[1]} of the audit trail is not as it was written."],
    ),
    "another time": (
        "UPDATE core_audit SET at = at + interval '1 microsecond' WHERE id = :second",
        lambda ids: [f"Line {ids[1]} of the audit trail is not as it was written."],
    ),
    "from elsewhere": (
        "UPDATE core_audit SET address = '10.0.0.1' WHERE id = :second",
        lambda ids: [f"Line {ids[1]} of the audit trail is not as it was written."],
    ),
    "removed": (
        "DELETE FROM core_audit WHERE id = :second",
        lambda ids: [f"Line {ids[1]} of the audit trail was removed."],
    ),
    "the last one removed": (
        "DELETE FROM core_audit WHERE id = :last",
        lambda ids: [f"Line {ids[-1]} of the audit trail was removed."],
    ),
    "in another order": (
        "UPDATE core_audit SET id = CASE id WHEN :second THEN -:third WHEN :third THEN -:second END"
        " WHERE id IN (:second, :third); UPDATE core_audit SET id = -id WHERE id < 0",
        lambda ids: [f"Line {number} of the audit trail is not as it was written." for number in ids[1:3]],
    ),
    "slipped in": (
        "INSERT INTO core_audit (id, at, actor, action, object, org_path)"
        " SELECT :gap, at, actor, action, object, org_path FROM core_audit WHERE id = :second",
        lambda ids: [f"Line {ids[3] - 1} of the audit trail was slipped in later."],
    ),
    "a block removed": (
        "DELETE FROM core_audit_seal WHERE no = 1",
        lambda ids: [
            "A block of the audit trail before block 2 is missing.",
            *(f"Line {number} of the audit trail was slipped in later." for number in ids[:3]),
        ],
    ),
    "a block changed": (
        "UPDATE core_audit_seal SET sealed_at = sealed_at - interval '1 second' WHERE no = 2",
        lambda _ids: ["Block 2 of the audit trail is not as it was sealed."],
    ),
    "a block torn off": (
        "UPDATE core_audit_seal SET previous = digest WHERE no = 2",
        lambda _ids: [
            "Block 2 of the audit trail does not follow the one before it.",
            "Block 2 of the audit trail is not as it was sealed.",
        ],
    ),
}


@pytest.mark.as_owner
@pytest.mark.parametrize("what", FORGED)
def test_each_forgery_is_named(app: Flask, what: str) -> None:
    ids = write()
    db.session.execute(text("SELECT nextval('core_audit_id_seq')"))  # an id that was never used
    seal()
    for _block in range(2):
        ids += write()
        wait_for_others()
        seal()
    assert findings() == []
    statement, expected = FORGED[what]
    places = {"second": ids[1], "third": ids[2], "last": ids[-1], "gap": ids[3] - 1}
    for part in statement.split("; "):
        as_owner(part, **{name: place for name, place in places.items() if f":{name}" in part})
    assert findings() == expected(ids)


@pytest.mark.as_owner
def test_a_line_that_says_it_is_older_than_its_block_is_named(app: Flask) -> None:
    write()
    seal()
    forged = f"{INSERT} VALUES (now() {{}}, 'x', 'run.post', 'run:1', '/')"
    as_owner(forged.format("- interval '5 hours'"))
    seal()
    assert findings() == []
    as_owner(forged.format("- interval '7 hours'"), forged.format("+ interval '1 hour'"))
    seal()
    first, second = findings()
    assert first.startswith("Line 5 of the audit trail was not written at ")
    assert second.startswith("Line 6 of the audit trail was not written at ")


@pytest.mark.as_owner
def test_lines_that_wait_too_long_are_told_as_one(app: Flask) -> None:
    write()
    assert findings() == []
    as_owner("UPDATE core_audit SET at = at - interval '14 minutes'")
    assert findings() == []
    as_owner("UPDATE core_audit SET at = at - interval '2 minutes' WHERE id > 1")
    (found,) = findings()
    assert found.startswith("2 lines of the audit trail, the first of ")
    assert found.endswith(", were never sealed.")


@pytest.mark.as_owner
def test_after_a_restore_on_another_server_lines_are_sealed_as_ever(app: Flask) -> None:
    """There the transactions are counted anew, from far below."""
    write()
    seal()
    as_owner("UPDATE core_audit_seal SET next_xid = next_xid + 1000000000, system = 1")
    write()
    assert seal() == 3
    write()
    wait_for_others()
    seal()
    settled = db.session.scalars(select(AuditSeal.settled).order_by(AuditSeal.no)).all()
    assert settled == [0, 3, 6]
    assert findings() == ["Block 1 of the audit trail is not as it was sealed."]  # its digest shows it


def test_nobody_writes_another_time_or_takes_anything_back(app: Flask) -> None:
    write()
    seal()
    for statement in (
        f"{INSERT} VALUES (now() - interval '1 hour', 'x', 'x', 'x', '/')",
        "UPDATE core_audit SET actor = 'x'",
        "DELETE FROM core_audit",
        "TRUNCATE core_audit",
        "UPDATE core_audit_seal SET digest = previous",
        "DELETE FROM core_audit_seal",
        "TRUNCATE core_audit_seal",
    ):
        with pytest.raises(DBAPIError):
            db.session.execute(text(statement))
        db.session.rollback()


@pytest.mark.as_owner
@pytest.mark.parametrize(
    ("statement", "of"),
    [
        ("UPDATE core_audit SET actor = 'x'", "append-only"),
        ("DELETE FROM core_audit_seal", "append-only"),
        ("TRUNCATE core_audit_seal", "append-only"),
        (
            f"{INSERT} VALUES (now() - interval '1 s', 'x', 'x', 'x', '/')",
            "the time of the transaction",
        ),
    ],
)
def test_guards_refuse_the_owner_as_well(app: Flask, statement: str, of: str) -> None:
    write()
    seal()
    with pytest.raises(DBAPIError, match=of):
        db.session.execute(text(statement))


@pytest.mark.as_owner
def test_a_trail_that_was_cut_off_or_sealed_anew_is_found_with_the_heads(app: Flask, tmp_path: Path) -> None:
    ids = write()
    heads.export_heads(str(tmp_path), KEY, date(2014, 1, 2))
    write()
    heads.export_heads(str(tmp_path), KEY, date(2014, 1, 3))
    assert list(verify_all(str(tmp_path))) == []
    as_owner("DELETE FROM core_audit_seal WHERE no = 2", "DELETE FROM core_audit WHERE id > :last", last=ids[2])
    assert list(verify_all()) == []
    said = "The audit trail was rewritten: its block {} is not the one of 2014-01-0{}."
    assert [one.sentence for one in verify_all(str(tmp_path))] == [said.format(2, 3)]
    as_owner("DELETE FROM core_audit_seal", "UPDATE core_audit SET actor = 'x'")
    seal()
    assert list(verify_all()) == []
    assert [one.sentence for one in verify_all(str(tmp_path))] == [said.format(1, 2), said.format(2, 3)]


def test_the_job_and_the_command_seal(
    app: Flask, small_tree: dict[str, Org], run_jobs: Callable[[], int], run_command: Callable[..., Result]
) -> None:
    write()
    enqueue("audit.seal", SYSTEM, "/61/")
    run_jobs()
    assert head().no == 1
    write()
    db.session.commit()
    result = run_command("verify")
    assert result.exit_code == 0, result.output
    assert head().no == 2


def test_a_line_says_from_where(app: Flask, make_user: MakeUser, run_jobs: Callable[[], int]) -> None:
    user = make_user("clerk", "610102")
    with app.test_request_context(environ_base={"REMOTE_ADDR": "10.1.2.3"}):
        app.preprocess_request()
        record(user, "run.compute", "run:1", "/61/")
        db.session.commit()
    line = db.session.scalars(select(AuditLine).where(AuditLine.action == "run.compute")).one()
    assert (line.address, line.acting_path) == ("10.1.2.3", user.org_path)
    assert len(line.reference or "") == 10
