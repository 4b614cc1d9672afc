"""Broken: a table that does not carry the plugin's name."""

from sqlalchemy.orm import DeclarativeBase, Mapped

from core.api import TYPES, BigId, Program, hookimpl, metadata
from tests.plugins_for_tests.broken.parts import program


class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = TYPES


class Visit(Base):
    __tablename__ = "four_seasons_visitor"

    id: Mapped[BigId]


@hookimpl
def programs() -> list[Program]:
    return [program("table_without_prefix")]
