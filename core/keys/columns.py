"""Which columns of the core and of every loaded plugin hold ciphertext and digests, as their models say."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Column, Table, func, null, or_, select
from sqlalchemy.sql.elements import ColumnElement

from core.database import DIGEST, SEALED, metadata
from core.extensions import db


@dataclass(frozen=True, slots=True)
class Encrypted:
    """A table with its encrypted columns and the digests of what stands in them."""

    table: Table
    sealed: tuple[Column[bytes], ...]
    digests: tuple[Column[bytes], ...]

    @property
    def key(self) -> tuple[Column[int], ...]:
        """The columns of the primary key."""
        return tuple(self.table.primary_key.columns)

    def field_in(self, column: Column[bytes]) -> str:
        """The field whose ciphertext the column holds."""
        return str(column.info[SEALED])

    def of_other_version(self, version: int) -> ColumnElement[bool]:
        """Whether something in the row is encrypted with a key of another version."""
        return or_(*(version_of(column) != version for column in self.sealed))


def encrypted_tables() -> Iterator[Encrypted]:
    """Every table with an encrypted column, by name: the order in which they are locked."""
    for name in sorted(metadata.tables):
        table = metadata.tables[name]
        sealed = tuple(column for column in table.columns if SEALED in column.info)
        if sealed:
            yield Encrypted(table, sealed, tuple(column for column in table.columns if DIGEST in column.info))


def version_of(column: ColumnElement[bytes]) -> ColumnElement[int]:
    """The version that a ciphertext names; none for none."""
    return func.get_byte(func.nullif(column, b""), 0)


def digested(digest: Column[bytes], opened: dict[str, str | None]) -> str | None:
    """The value that a digest is of, from the opened columns of its row; none where there is none."""
    column, field = digest.info[DIGEST]
    text = opened[column]
    if text is not None and digest.table.columns[column].info[SEALED] != field:
        part = json.loads(text).get(field)
        return part if isinstance(part, str) else None
    return text


def counts() -> Iterator[tuple[str, int, int]]:
    """``(table.column, version, how many)`` of all that is encrypted in the database."""
    for one in encrypted_tables():
        for column in one.sealed:
            version = version_of(column)
            query = select(version, func.count()).where(column.is_not(null())).group_by(version).order_by(version)
            for found, count in db.session.execute(query):
                yield f"{one.table.name}.{column.name}", found or 0, count
