"""What importing a plugin brought into this process: tables and mappers. Checked, and taken back when it is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Mapper
from sqlalchemy.orm import registry as MapperRegistry

from core.database import Base, metadata
from core.errors import ConfigError


@dataclass
class Brought:
    """The names of the new tables, and the mapper registries of the new models."""

    tables: set[str] = field(default_factory=set)
    registries: set[MapperRegistry] = field(default_factory=set)


#: Python imports a module once in a process, however many apps are made, so what came with it is kept here.
_brought: dict[str, Brought] = {}


@contextmanager
def watched_import(name: str) -> Iterator[None]:
    """Import the plugin inside this; afterwards its tables and models are checked. Raises :class:`ConfigError`."""
    brought = _brought.setdefault(name, Brought())
    before = set(metadata.tables)

    def note(mapper: Mapper[Any], _model: type[Any]) -> None:
        brought.registries.add(mapper.registry)

    event.listen(Mapper, "after_mapper_constructed", note)
    try:
        yield
        brought.tables |= set(metadata.tables) - before
        _check(name, brought)
    except BaseException:
        brought.tables |= set(metadata.tables) - before
        _take_back(name, brought)
        raise
    finally:
        event.remove(Mapper, "after_mapper_constructed", note)


def _check(name: str, brought: Brought) -> None:
    for table in sorted(brought.tables):
        if not table.startswith(f"{name}_"):
            raise ConfigError(f"The table {table!r} must begin with {name + '_'!r}.")
    if Base.registry in brought.registries:
        raise ConfigError("Its models stand on the base of the core; they need a declarative base of their own.")
    for models in brought.registries:
        models.configure(cascade=True)


def _take_back(name: str, brought: Brought) -> None:
    """A broken relationship must not fail everybody's mappers, a stray table not show up in anybody's migrations."""
    for models in brought.registries - {Base.registry}:
        models.dispose()
    for table in brought.tables:
        if not table.startswith(f"{name}_") and table in metadata.tables:
            metadata.remove(metadata.tables[table])
