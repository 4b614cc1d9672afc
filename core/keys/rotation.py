"""Changing from one data key to the next, beside running web servers and workers that know both.

1. What is encrypted from now on is encrypted with the new key (:func:`begin`).
2. What is encrypted with another one is encrypted anew, a block of rows in a transaction (:func:`reseal`).
3. All digests are made anew in one transaction that everybody who needs a digest waits for (:func:`redigest`): were
   there two of a number, the same person could come on file twice.

Each step looks at what is left, so that a killed one goes on where it was when it is run again. It is run as the owner
of the tables, like an upgrade.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import ARRAY, Row, cast, func, select, text, tuple_, update
from sqlalchemy.exc import OperationalError

from core.audit.services import SYSTEM, record
from core.config import settings_of
from core.database import DIGEST
from core.errors import Refused, ZhijiaError
from core.extensions import db
from core.keys.columns import Encrypted, digested, encrypted_tables
from core.keys.models import LOCK, KeysInUse
from core.people.secrets import Keys

#: Rows that are encrypted in one transaction, and made digests of at once.
BLOCK, LARGE_BLOCK = 1_000, 10_000
#: Seconds between two tries to be alone, and for how many of them it is tried.
PAUSE, PATIENCE = 0.2, 600.0
_IS_OWNER = (
    "SELECT bool_and(pg_has_role(current_user, relowner, 'USAGE')) FROM pg_class"
    " WHERE relname IN ('core_person', 'core_keys_in_use') AND relnamespace = current_schema()::regnamespace"
)
Progress = Callable[[str, int], None]


def in_use() -> KeysInUse:
    """Which versions are in use, as the current transaction sees it."""
    return db.session.execute(select(KeysInUse)).scalar_one()


def begin() -> int:
    """From now on the newest key encrypts; its version. Nobody is half way through with the old one when this is over.

    Raises :class:`Refused` when others do not let it be alone, or for a role that does not own the tables.
    """
    newest = settings_of().data_keys.newest
    if not db.session.scalar(text(_IS_OWNER)):
        raise Refused("Only the owner of the tables can do this; connect as the role that db upgrade is run with.")
    if in_use().cipher != newest:
        with _alone([]):
            db.session.execute(update(KeysInUse).values(cipher=newest))
            record(SYSTEM, "keys.rotate", f"key:{newest}", "/", step="encrypt")
            db.session.commit()
    db.session.rollback()
    return newest


def reseal(progress: Progress, damaged: Callable[[str], None]) -> int:
    """Encrypt with the key in use what is encrypted with another one; how many rows. Commits after each block.

    What cannot be read stays as it is, and is told to ``damaged``: ``core_person.phone 17``.
    """
    total = 0
    for one in encrypted_tables():
        last: Sequence[Any] | None = None
        count = 0
        while rows := _other_rows(one, last):
            last = rows[-1][: len(one.key)]
            _write(one, rows, one.sealed, _sealed_anew(one, rows, damaged))
            db.session.commit()
            count += len(rows)
            progress(one.table.name, count)
        db.session.rollback()
        total += count
    return total


def redigest(progress: Progress) -> int:
    """Make all digests with the newest key, in one transaction; how many rows. Those of nothing stay as they are.

    A digest that is not the one of the number beside it stays as well: a hand wrote one of them, and bank files refuse
    it.
    Raises :class:`Refused` when others do not let it be alone, or for a role that does not own the tables.
    """
    newest, former = settings_of().data_keys.newest, in_use().digest
    if former == newest:
        return 0
    tables = [one for one in encrypted_tables() if one.digests]
    data_keys, total = settings_of().data_keys, 0
    old, new = Keys(data_keys, digest=former), Keys(data_keys, digest=newest)
    with _alone(tables):
        guards = _guards(tables)
        _switch(guards, "DISABLE")  # no account changes because its digest is made anew
        for one in tables:
            count = 0
            for rows in _all_rows(one):
                _write(one, rows, one.digests, [_digests_anew(one, row, old, new) for row in rows])
                count += len(rows)
                progress(one.table.name, count)
            total += count
        db.session.execute(update(KeysInUse).values(digest=newest))
        record(SYSTEM, "keys.rotate", f"key:{newest}", "/", step="digest", rows=total)
        _switch(guards, "ENABLE")
        db.session.commit()
    return total


def _sealed_anew(one: Encrypted, rows: Sequence[Row[Any]], damaged: Callable[[str], None]) -> list[list[bytes | None]]:
    keys, version = Keys(settings_of().data_keys), settings_of().data_keys.newest
    anew: list[list[bytes | None]] = []
    for row in rows:
        values = []
        for column, value in zip(one.sealed, row[len(one.key) :], strict=True):
            if value is not None and value[:1] != bytes([version]):
                field: Any = one.field_in(column)
                try:
                    value = keys.encrypt(field, keys.decrypt(field, value))
                except ZhijiaError:
                    damaged(f"{one.table.name}.{column.name} {' '.join(map(str, row[: len(one.key)]))}")
            values.append(value)
        anew.append(values)
    return anew


def _digests_anew(one: Encrypted, row: Row[Any], old: Keys, new: Keys) -> list[bytes | None]:
    start, end = len(one.key), len(one.key) + len(one.sealed)
    opened: dict[str, str | None] = dict.fromkeys(column.name for column in one.sealed)
    for column, value in zip(one.sealed, row[start:end], strict=True):
        field: Any = one.field_in(column)
        with suppress(ZhijiaError):
            opened[column.name] = None if value is None else old.decrypt(field, value)
    found = []
    for column, digest in zip(one.digests, row[end:], strict=True):
        field = column.info[DIGEST][1]
        value = digested(column, opened)
        is_its_own = value and digest is not None and old.digest(field, value) == bytes(digest)
        found.append(new.digest(field, value) if is_its_own and value else digest)
    return found


def _other_rows(one: Encrypted, last: Sequence[Any] | None) -> Sequence[Row[Any]]:
    """The next rows with something to encrypt anew, locked in the order of their keys."""
    query: Any = select(*one.key, *one.sealed).where(one.of_other_version(settings_of().data_keys.newest))
    if last is not None:
        query = query.where(tuple_(*one.key) > tuple_(*last))
    locked: Any = query.order_by(*one.key).limit(BLOCK).with_for_update(key_share=True)
    rows: Sequence[Row[Any]] = db.session.execute(locked).all()
    return rows


def _all_rows(one: Encrypted) -> Iterator[Sequence[Row[Any]]]:
    """All rows with a digest, in blocks."""
    last: Sequence[Any] | None = None
    while True:
        query: Any = select(*one.key, *one.sealed, *one.digests)
        if last is not None:
            query = query.where(tuple_(*one.key) > tuple_(*last))
        rows: Sequence[Row[Any]] = db.session.execute(query.order_by(*one.key).limit(LARGE_BLOCK)).all()
        if not rows:
            return
        yield rows
        last = rows[-1][: len(one.key)]


def _write(one: Encrypted, rows: Sequence[Row[Any]], columns: Sequence[Any], values: Sequence[Sequence[Any]]) -> None:
    """One statement for the block."""
    parts = [(column, [row[at] for row in rows]) for at, column in enumerate(one.key)]
    parts += [(column, [found[at] for found in values]) for at, column in enumerate(columns)]
    anew = select(
        *(func.unnest(cast(part, ARRAY(column.type))).label(column.name) for column, part in parts)
    ).subquery()
    same = (column == anew.c[column.name] for column in one.key)
    db.session.execute(update(one.table).where(*same).values({column: anew.c[column.name] for column in columns}))


@contextmanager
def _alone(tables: Sequence[Encrypted]) -> Iterator[None]:
    """Nobody encrypts, makes a digest or writes to the tables until the transaction ends.

    Whoever does is waited for without standing in anybody's way. The tables are locked first, then the keys: others
    have the keys before they write, so that nobody waits for us who we wait for.
    """
    until = time.monotonic() + PATIENCE
    while not _try_alone(tables):
        if time.monotonic() > until:
            raise Refused("Others write personal data all the time; stop the workers and run it again.")
        time.sleep(PAUSE)
    try:
        yield
    except BaseException:
        db.session.rollback()
        raise


def _try_alone(tables: Sequence[Encrypted]) -> bool:
    db.session.rollback()
    try:
        db.session.execute(text("SET LOCAL lock_timeout = '1s'"))
        for one in tables:
            db.session.execute(text(f"LOCK TABLE {one.table.name} IN SHARE ROW EXCLUSIVE MODE"))
    except OperationalError:  # somebody writes to one of them
        db.session.rollback()
        return False
    if not db.session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        db.session.rollback()
        return False
    db.session.execute(text("SET LOCAL lock_timeout = 0"))
    return True


def _guards(tables: Sequence[Encrypted]) -> list[str]:
    """``TABLE core_person {} TRIGGER account_changed`` of each guard that looks, ready for ALTER."""
    names = [one.table.name for one in tables]
    # ``O``: it fires for everybody, as all guards of the house do
    query = (
        "SELECT format('ALTER TABLE %I {} TRIGGER %I', relname, tgname) FROM pg_trigger"
        " JOIN pg_class ON pg_class.oid = tgrelid WHERE relname = ANY(:names) AND NOT tgisinternal AND tgenabled = 'O'"
        " AND relnamespace = current_schema()::regnamespace ORDER BY 1"
    )
    return list(db.session.scalars(text(query), {"names": names}))


def _switch(guards: Sequence[str], what: str) -> None:
    for guard in guards:
        db.session.execute(text(guard.format(what)))
