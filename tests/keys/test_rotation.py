"""From one data key to the next: everything is encrypted anew, nobody comes on file twice, nothing is lost."""

import io
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import func, insert, select, text, update

from core.audit.services import SYSTEM
from core.config import EXTENSION, Settings
from core.data_keys import DataKeys, load_data_keys
from core.disbursements.models import OrgAccount
from core.errors import Refused, ZhijiaError
from core.exports.models import Export
from core.extensions import db
from core.files.store import store_of
from core.files.vault import read_vault, version_in, write_vault
from core.imports.models import ImportRow
from core.keys import rotation
from core.keys.columns import counts
from core.keys.contents import versions
from core.keys.models import LOCK, KeysInUse
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.personal import erase
from core.people.queries import by_id_number
from core.people.secrets import Keys, decrypt, keys
from core.people.services import PersonRow, Registered, register_people
from core.users.testing import MakeUser
from core.wall import beyond_scope
from tests.keys.conftest import BOTH, FIRST, SECOND
from tests.people.conftest import number
from tests.people.conftest import pair as pair

pytestmark = [pytest.mark.services, pytest.mark.as_owner]
EVERYWHERE = Scope.of(["/61/"])
Command = Callable[..., Result]
Pair = tuple[Person, Person]


def found_versions() -> set[int]:
    db.session.rollback()
    return {version for _column, version, _count in counts()}


@pytest.fixture
def everything(pair: Pair, make_user: MakeUser, small_tree: dict[str, Org]) -> None:
    """Something in every kind of encrypted column but the contact of an objection."""
    user, org = make_user("clerk"), small_tree["6101"]
    at, account = {"org_id": org.id, "org_path": org.path}, keys().seal("bank_account", "6200000000000123")
    numbers = {"bank_account": account.ciphertext, "bank_account_digest": account.digest, "bank_account_tail": "0123"}
    db.session.execute(insert(OrgAccount).values(**at, **numbers, bank_name="长安银行"))
    export = {"user_id": user.id, "source": "people", "title": "名册", "kind": "csv", "language": "zh"}
    db.session.execute(insert(Export).values(**at, **export, password=keys().encrypt("password", "geheim")))
    secret, digest = (
        keys().encrypt("import_row", f'{{"id_number": "{number(1)}"}}'),
        keys().digest("id_number", number(1)),
    )
    db.session.execute(insert(ImportRow).values(import_id=1, line=2, values={}, secret=secret, id_number_digest=digest))
    wrong = keys().encrypt("import_row", '{"id_number": "12", "phone": ""}')
    db.session.execute(insert(ImportRow).values(import_id=1, line=3, values={}, secret=wrong))
    db.session.commit()


def test_everything_is_encrypted_anew_and_found_as_before(everything: None, run_command: Command) -> None:
    changed = list(db.session.execute(select(Person.account_changed_at, Person.payee_changed_at).order_by(Person.id)))
    union = db.session.scalar(select(OrgAccount.account_changed_at))
    assert found_versions() == {1}
    done = run_command("keys", "rotate")
    assert (done.exit_code, done.stdout) == (0, "version 2: 6 rows encrypted anew, digests of 5 rows made anew\n")
    assert found_versions() == {2}
    used = rotation.in_use()
    assert (used.cipher, used.digest) == (2, 2)
    kept, other = db.session.scalars(select(Person).order_by(Person.id))
    assert [decrypt("id_number", one.id_number) for one in (kept, other)] == [number(1), number(3)]
    assert other.phone is not None and decrypt("phone", other.phone) == "13900001234"
    new = Keys(BOTH, digest=2)
    assert (
        other.phone_digest == new.digest("phone", "13900001234") != Keys(BOTH, digest=1).digest("phone", "13900001234")
    )
    found = by_id_number(EVERYWHERE, number(1))
    assert found is not None and found.id == kept.id
    rows = list(db.session.scalars(select(ImportRow.id_number_digest).order_by(ImportRow.line)))
    assert rows == [kept.id_number_digest, None]
    # Nobody's account became another one by it.
    assert changed == list(
        db.session.execute(select(Person.account_changed_at, Person.payee_changed_at).order_by(Person.id))
    )
    assert union == db.session.scalar(select(OrgAccount.account_changed_at))
    # The guards look again.
    disabled = select(func.count()).select_from(text("pg_trigger")).where(text("tgenabled = 'D'"))
    assert db.session.scalar(disabled) == 0
    again = run_command("keys", "rotate")
    assert again.stdout == "version 2: 0 rows encrypted anew, digests of 0 rows made anew\n"


def test_the_same_person_does_not_come_on_file_twice(pair: Pair, run_command: Command) -> None:
    run_command("keys", "rotate")
    rows = [PersonRow("610102001", "单小芳", number(1)), PersonRow("610102001", "单小芳", number(5))]
    assert register_people(SYSTEM, rows, EVERYWHERE) == Registered(added=1, known=1, elsewhere=0)


def test_whoever_has_the_former_key_in_hand_is_waited_for(app: Flask, pair: Pair) -> None:
    """Somebody read the digest of a number before the change and writes it after: it is changed with the others."""
    row = {"name": "新人", "pinyin": "xinren", "initials": "xr", "gender": "F", "born_on": "1990-01-01"}
    at = {"org_id": pair[0].org_id, "org_path": pair[0].org_path}
    tail = number(7)[-4:]
    db.session.rollback()
    held, done = threading.Event(), threading.Event()

    def slow() -> None:
        with app.app_context(), beyond_scope("a test"):
            sealed = keys().seal("id_number", number(7))
            held.set()
            done.wait(2)
            values = {"id_number": sealed.ciphertext, "id_number_digest": sealed.digest, "id_number_tail": tail}
            db.session.execute(insert(Person).values(**at, **row, **values))
            db.session.commit()

    thread = threading.Thread(target=slow)
    thread.start()
    held.wait(10)
    threading.Timer(0.5, done.set).start()
    rotation.begin()
    rotation.reseal(lambda *_: None, print)
    rotation.redigest(lambda *_: None)
    thread.join()
    assert found_versions() == {2}
    found = by_id_number(EVERYWHERE, number(7))
    assert found is not None and found.name == "新人"


def test_a_process_that_does_not_know_the_key_says_so(app: Flask, settings: Settings, pair: Pair) -> None:
    rotation.begin()
    app.extensions[EXTENSION] = replace(settings, data_keys=DataKeys.of({1: FIRST}))
    with pytest.raises(ZhijiaError, match="version 2 is in use"):
        keys()
    assert decrypt("id_number", pair[0].id_number) == number(1)  # what it has the key of it still reads
    with pytest.raises(Refused, match="version 2"):
        store_of().put(io.BytesIO(b"x"))
    assert [path for path in settings.files.rglob("*") if path.is_file()] == []


def test_the_keys_are_asked_for_once_in_a_transaction_but_not_beyond_a_savepoint(app: Flask) -> None:
    mine = text("locktype = 'advisory' AND granted AND pid = pg_backend_pid()")
    held = select(func.count()).select_from(text("pg_locks")).where(mine)
    with db.session.begin_nested() as inner:
        keys()
        assert db.session.scalar(held) == 1
        inner.rollback()
    assert db.session.scalar(held) == 0
    assert keys() is keys()
    assert db.session.scalar(held) == 1
    db.session.rollback()
    assert db.session.scalar(held) == 0


def test_what_cannot_be_read_is_told_and_left(pair: Pair, run_command: Command) -> None:
    broken = b"\x01" + b"x" * 40
    db.session.execute(update(Person).where(Person.id == pair[1].id).values(phone=broken))
    db.session.commit()
    done = run_command("keys", "rotate")
    assert f"cannot be read: core_person.phone {pair[1].id}\n" in done.stderr
    assert isinstance(done.exception, Refused)
    db.session.expire_all()
    assert pair[1].phone == broken
    assert decrypt("bank_account", pair[1].bank_account or b"") == "6222021234567890123"
    dropped = run_command("keys", "drop", "1")
    assert isinstance(dropped.exception, Refused)
    assert "core_person.phone: 1" in str(dropped.exception)


def test_a_digest_of_nothing_and_a_strange_one_stay(pair: Pair, run_command: Command) -> None:
    erase(SYSTEM, EVERYWHERE, pair[0].id, "本人申请")
    strange, random = b"s" * 32, pair[0].id_number_digest
    db.session.execute(update(Person).where(Person.id == pair[1].id).values(bank_account_digest=strange))
    db.session.commit()
    assert run_command("keys", "rotate").exit_code == 0
    db.session.expire_all()
    assert (pair[0].id_number_digest, pair[1].bank_account_digest) == (random, strange)
    assert by_id_number(EVERYWHERE, number(3)) is not None


def test_files_are_encrypted_anew_and_a_strange_one_is_told(
    app: Flask, settings: Settings, run_command: Command
) -> None:
    key, old = store_of().put(io.BytesIO(b"photo" * 100_000)), DataKeys.of({1: FIRST})
    path = settings.files / "bank" / "a.csv"
    with write_vault(path, old) as vault:
        vault.write(b"lines")
    with write_vault(path.with_name("b.csv"), DataKeys.of({1: b"z" * 32})) as vault:
        vault.write(b"of another installation")
    assert versions() == {1: 3}
    done = run_command("keys", "rotate")
    assert done.stderr == f"cannot be read: {path.with_name('b.csv')}\n"
    assert versions() == {1: 1, 2: 2}
    assert version_in(path.read_bytes()) == 2
    assert b"".join(store_of().read(key)) == b"photo" * 100_000
    assert b"".join(read_vault(path, DataKeys.of({2: SECOND}))) == b"lines"
    assert not list(settings.files.rglob("*.part"))


def test_a_key_is_made_used_and_forgotten(
    app: Flask, settings: Settings, everything: None, run_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = settings.instance / "data.key"
    for used, reason in ((1, "in use"), (2, "in use"), (3, "no data key of version 3")):
        if used == 2:
            run_command("keys", "rotate")
        dropped = run_command("keys", "drop", str(used))
        assert isinstance(dropped.exception, Refused) and reason in str(dropped.exception)
    assert not file.exists()
    assert run_command("keys", "drop", "1").exit_code == 0
    assert list(load_data_keys("", file)) == [2]
    assert run_command("keys", "new").stdout.startswith("version 3; restart")
    assert list(load_data_keys("", file)) == [1, 2, 3]  # this process still knows what it was started with
    monkeypatch.setenv("ZHIJIA_DATA_KEY", BOTH.said())
    said = run_command("keys", "new").stdout
    assert said.startswith("ZHIJIA_DATA_KEY=3:") and said.count(":") > 3
    assert list(load_data_keys("", file)) == [1, 2, 3]
    status = run_command("keys", "status").stdout
    assert "known 1 2\nin use 2, digests 2\n" in status
    assert "core_person.id_number version 2: 2\n" in status


def test_a_key_of_which_something_is_left_is_not_forgotten(
    settings: Settings, everything: None, run_command: Command
) -> None:
    rotation.begin()
    db.session.execute(update(KeysInUse).values(digest=2))
    db.session.commit()
    refused = run_command("keys", "drop", "1")
    assert isinstance(refused.exception, Refused) and "core_import_row.secret: 2" in str(refused.exception)
    rotation.reseal(lambda *_: None, print)
    with write_vault(settings.files / "imports" / "7", DataKeys.of({1: FIRST})) as vault:
        vault.write(b"list")
    refused = run_command("keys", "drop", "1")
    assert isinstance(refused.exception, Refused) and "(files: 1)" in str(refused.exception)


def test_others_are_not_waited_for_without_end(app: Flask, pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rotation, "PATIENCE", 0.3)
    with db.engine.connect() as other:
        other.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
        with pytest.raises(Refused, match="all the time"):
            rotation.begin()
    assert rotation.in_use().cipher == 1
