"""Many rows at once: ``COPY`` into a table, and deleting what is too old."""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection
from psycopg.sql import SQL, Identifier
from sqlalchemy import ColumnElement, delete, select

from core.extensions import db

#: Rows that are deleted in one transaction: soon enough over to be in nobody's way.
CHUNK = 5_000


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Stream ``rows`` into ``table`` in bounded memory and return how many went in; the caller commits."""
    connection: Connection[object] | None = db.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101  # the session has just opened it
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), SQL(", ").join(map(Identifier, columns)))
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


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
