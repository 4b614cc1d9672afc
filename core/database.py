"""The shared metadata, the base of the core's models and the column types of the house.

Units: money is whole fen in ``bigint``; instants are UTC in ``timestamptz``; days are ``date`` in Asia/Shanghai.
A plugin declares ``class Base(DeclarativeBase): metadata = metadata``: its own registry on this shared metadata, so
that one wrong relationship in a plugin cannot break the mappers of everybody else.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import psycopg
from sqlalchemy import BigInteger, Connection, DateTime, ForeignKeyConstraint, Identity, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

BigId = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
Fen = Annotated[int, mapped_column(BigInteger)]
#: A materialised path such as ``/61/6101/``; byte order, so that a subtree is one index range.
OrgPath = Annotated[str, mapped_column(Text(collation="C"))]
#: Pinyin and other text that is searched from its beginning; byte order, so that a prefix is one index range.
Prefixed = Annotated[str, mapped_column(Text(collation="C"))]
CreatedAt = Annotated[datetime, mapped_column(DateTime(timezone=True), server_default=func.now())]

TYPES: dict[Any, Any] = {
    int: BigInteger,
    str: Text,
    datetime: DateTime(timezone=True),
    dict[str, Any]: JSONB,
    list[Any]: JSONB,
}


class Base(DeclarativeBase):
    """Base of the core's own models."""

    metadata = metadata
    type_annotation_map = TYPES


def org_reference(org_id: str = "org_id", org_path: str = "org_path") -> ForeignKeyConstraint:
    """Tie ``(org_id, org_path)`` to the org tree, so that the database itself keeps the path right.

    When an org moves in the tree, its new path cascades into every row that names it.
    """
    return ForeignKeyConstraint([org_id, org_path], ["core_org.id", "core_org.path"], onupdate="CASCADE")


#: Where a table says in its ``info`` whose its rows are, for the policies of the database (core/plugin/walls.py).
WALL = "wall"


@dataclass(frozen=True, slots=True)
class Wall:
    """Whose the rows of a table are, besides those of the union in ``org_path`` where it has one.

    ``user`` is a column with the user who sees the row; ``columns`` name a row of ``table`` by its ``keys``, and who
    sees that sees this (``held``: only if its union is in reach); ``org_id`` names a union by its id alone.
    ``seen_below``: unions below the row's, and their industry unions' members, see it too, and change neither it nor
    what hangs on it. ``appended``: everybody may add a row, about whomever. ``reason``: nobody's, and why, so that all
    may read it.
    """

    user: str = ""
    columns: tuple[str, ...] = ()
    table: str = ""
    keys: tuple[str, ...] = ()
    held: bool = False
    org_id: str = ""
    seen_below: bool = False
    appended: bool = False
    reason: str = ""


def of_user(column: str = "user_id", *, seen_below: bool = False, appended: bool = False) -> dict[str, Any]:
    """``info`` of a table whose rows belong to the user in ``column``, besides the union in its ``org_path``."""
    return {WALL: Wall(user=column, seen_below=seen_below, appended=appended)}


def through(
    columns: str | tuple[str, ...],
    table: str,
    keys: str | tuple[str, ...] = "id",
    *,
    held: bool = False,
    user: str = "",
) -> dict[str, Any]:
    """``info`` of a table whose rows are seen by who sees the row of ``table`` that their ``columns`` name; with
    ``held`` only if the union of that row is in reach, and not where it lies above. The ``user`` sees them as well.
    """
    own, theirs = ((one,) if isinstance(one, str) else one for one in (columns, keys))
    return {WALL: Wall(columns=own, table=table, keys=theirs, held=held, user=user)}


def through_org(column: str = "org_id") -> dict[str, Any]:
    """``info`` of a table that names a union by its id alone."""
    return {WALL: Wall(org_id=column)}


def seen_below() -> dict[str, Any]:
    """``info`` of a table whose rows also those unions see that lie below the row's: what the province announces."""
    return {WALL: Wall(seen_below=True)}


def appended_by_all() -> dict[str, Any]:
    """``info`` of a table that everybody adds to, about whatever they do: without an ``org_path`` only the core
    reads it, beyond every scope.
    """
    return {WALL: Wall(appended=True)}


def of_nobody(reason: str) -> dict[str, Any]:
    """``info`` of a table that holds nobody's data, and why: every user may read all of it."""
    return {WALL: Wall(reason=reason)}


#: Where a column says in its ``info`` that it holds ciphertext (and of which field), or a digest (of which column and
#: field), for ``zhijia keys``: whatever is not said is left behind when the data key changes.
SEALED, DIGEST = "sealed", "digest"


def sealed(field: str) -> MappedColumn[Any]:
    """A column of ciphertext that ``encrypt`` of this field made: ``phone: Mapped[bytes] = sealed("phone")``."""
    return mapped_column(info={SEALED: field})


def digest_of(column: str, field: str, *, unique: bool | None = None) -> MappedColumn[Any]:
    """A column of keyed digests of what stands encrypted in ``column``: the value itself, or the part of the JSON
    object in it that is called like the field.
    """
    return mapped_column(info={DIGEST: (column, field)}, unique=unique)


@contextmanager
def driver_errors(connection: Connection, statement: str) -> Iterator[None]:
    """Raise what the driver itself raises inside as the errors of SQLAlchemy, which pages and jobs know how to answer.

    For statements that go past SQLAlchemy, named by ``statement``. A connection that broke is given up.
    """
    try:
        yield
    except psycopg.Error as error:
        raw = connection.connection.driver_connection
        is_gone = raw is None or raw.closed
        if is_gone:
            connection.invalidate(error)
        raise DBAPIError.instance(
            statement, None, error, psycopg.Error, connection_invalidated=is_gone, dialect=connection.dialect
        ) from error
