"""Broken: a relationship to a model that does not exist."""

from sqlalchemy.orm import DeclarativeBase, Mapped, relationship

from core.api import TYPES, BigId, Program, hookimpl, metadata
from tests.plugins_for_tests.broken.parts import program


class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = TYPES


class Visit(Base):
    __tablename__ = "bad_relationship_visit"

    id: Mapped[BigId]
    host = relationship("Hostess")


@hookimpl
def programs() -> list[Program]:
    return [program("bad_relationship")]
