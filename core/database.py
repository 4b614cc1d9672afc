"""The shared metadata, the base of the core's models and the column types of the house.

Units: money is whole fen in ``bigint``; instants are UTC in ``timestamptz``; days are ``date`` in Asia/Shanghai.
A plugin declares ``class Base(DeclarativeBase): metadata = metadata``: its own registry on this shared metadata, so
that one wrong relationship in a plugin cannot break the mappers of everybody else.
"""

from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import BigInteger, DateTime, ForeignKeyConstraint, Identity, MetaData, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

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
