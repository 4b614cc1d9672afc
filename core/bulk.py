"""Many rows at once: ``COPY`` into a table, by a temporary one where walls stand, and deleting what is old."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, Copy
from psycopg.sql import SQL, Identifier
from sqlalchemy import ColumnElement, delete, select

from core.database import driver_errors
from core.extensions import db

#: Rows that are deleted in one transaction: soon enough over to be in nobody's way.
CHUNK = 5_000
#: Nothing, as :func:`copy_columns` takes it.
NULL = "\\N"
#: What would end a cell or a line of a ``COPY``.
_ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}
_TRANSLATED = str.maketrans(_ESCAPED)
_IS_TEMPORARY = b"SELECT relpersistence = 't' FROM pg_class WHERE oid = CAST(%s AS regclass)"
_STAGE = SQL("CREATE TEMP TABLE {staged} ON COMMIT DROP AS SELECT {columns} FROM {table} WHERE false")


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Stream ``rows`` into ``table`` in bounded memory and return how many went in; the caller commits."""
    count = 0
    with _copy(table, columns) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def copy_columns(table: str, columns: Sequence[str], blocks: Iterable[Sequence[Sequence[object]]]) -> int:
    """Stream blocks of rows into ``table``, each block column by column: several times as fast as row by row.

    Numbers go as they are, texts as :func:`in_copy` gives them, bytes as :func:`bytes_in_copy`. Returns how many rows
    went in; the caller commits. While the database takes a block, the next one is made.
    """
    count, line = 0, "\t".join(["%s"] * len(columns)) + "\n"
    with _copy(table, columns) as copy, ThreadPoolExecutor(1) as beside:
        sent: Future[None] | None = None
        for block in blocks:
            lines = list(map(line.__mod__, zip(*block, strict=True)))
            if sent is not None:
                sent.result()
            sent = beside.submit(copy.write, "".join(lines))
            count += len(lines)
        if sent is not None:
            sent.result()
    return count


def in_copy(texts: list[str]) -> list[str]:
    """Texts as they stand in the lines of a ``COPY``."""
    joined = "".join(texts)
    return [text.translate(_TRANSLATED) for text in texts] if any(sign in joined for sign in _ESCAPED) else texts


def bytes_in_copy(values: Iterable[bytes]) -> list[str]:
    """Bytes as they stand in the lines of a ``COPY``."""
    return [f"\\\\x{text}" for text in map(bytes.hex, values)]


def delete_all(model: Any, *conditions: ColumnElement[bool]) -> int:
    """Delete the rows under these conditions, the oldest (by id) first; returns how many. Commits after each chunk."""
    total = 0
    while True:
        chunk = select(model.id).where(*conditions).order_by(model.id).limit(CHUNK)
        gone = delete(model).where(model.id.in_(chunk)).returning(model.id)
        count = len(db.session.execute(gone, execution_options={"synchronize_session": False}).all())
        db.session.commit()
        total += count
        if count < CHUNK:
            return total


@contextmanager
def _copy(table: str, columns: Sequence[str]) -> Iterator[Copy]:
    own = db.session.connection()
    connection: Connection[Any] | None = own.connection.driver_connection
    assert connection is not None  # noqa: S101  # the session has just opened it
    names = {"table": Identifier(table), "columns": SQL(", ").join(map(Identifier, columns))}
    with driver_errors(own, f"COPY {table}"), connection.cursor() as cursor:
        row = cursor.execute(_IS_TEMPORARY, [table]).fetchone()
        is_temporary = row is not None and row[0]
        names["staged"] = Identifier(table if is_temporary else "copied")
        if not is_temporary:  # the walls take rows of an INSERT only
            cursor.execute(_STAGE.format(**names))
        with cursor.copy(SQL("COPY {staged} ({columns}) FROM STDIN").format(**names)) as copy:
            yield copy
        if not is_temporary:
            cursor.execute(SQL("INSERT INTO {table} ({columns}) SELECT {columns} FROM {staged}").format(**names))
            cursor.execute(SQL("DROP TABLE {staged}").format(**names))
