"""Many rows at once: ``COPY`` into a table, in the session's own transaction."""

from collections.abc import Iterable, Sequence

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from core.extensions import db


def copy_rows(table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Stream ``rows`` into ``table`` in bounded memory and return how many went in."""
    connection: Connection[object] | None = db.session.connection().connection.driver_connection
    assert connection is not None  # noqa: S101  # the session has just opened it
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), SQL(", ").join(map(Identifier, columns)))
    count = 0
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count
