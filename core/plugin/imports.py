"""What importing a plugin brought into this process: tables and mappers. Checked, and taken back when it is wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import event
from sqlalchemy.orm import Mapper
from sqlalchemy.orm import registry as MapperRegistry
from sqlalchemy.orm.interfaces import EXT_SKIP

from core.database import Base, metadata
from core.errors import ConfigError
from core.plugin.walls import wall_of


@dataclass
class Brought:
    """The names of the new tables, the mappers of the new models, and why they were taken back, if they were."""

    tables: set[str] = field(default_factory=set)
    mappers: set[Mapper[Any]] = field(default_factory=set)
    refused: Exception | None = None

    @property
    def registries(self) -> set[MapperRegistry]:
        """What the new models are declared on."""
        return {mapper.registry for mapper in self.mappers}


#: Python imports a module once in a process, however many apps are made, so what came with it is kept here.
_brought: dict[str, Brought] = {}


@contextmanager
def watched_import(name: str) -> Iterator[None]:
    """Import the plugin inside this; afterwards its tables and models are checked. Raises what is wrong."""
    brought = _brought.setdefault(name, Brought())
    if brought.refused:  # the module is in memory, and what was wrong with it is gone from the mappers and tables
        raise brought.refused
    before = set(metadata.tables)

    def note(mapper: Mapper[Any], _model: type[Any]) -> None:
        brought.mappers.add(mapper)

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
    try:
        for table in sorted(brought.tables):
            if not table.startswith(f"{name}_"):
                raise ConfigError(f"The table {table!r} must begin with {name + '_'!r}.")
        if Base.registry in brought.registries:
            raise ConfigError("Its models stand on the base of the core; they need a declarative base of their own.")
        for models in brought.registries:
            models.configure(cascade=True)
        for table in sorted(brought.tables & set(metadata.tables)):
            wall_of(metadata.tables[table])
    except Exception as error:
        brought.refused = error
        raise


def _take_back(name: str, brought: Brought) -> None:
    """A broken relationship must not fail everybody's mappers, a stray table not show up in anybody's migrations."""
    for models in brought.registries - {Base.registry}:
        models.dispose()
    for mapper in brought.mappers:
        if mapper.registry is Base.registry:  # it cannot be taken out from among the core's; it is passed over there
            event.listen(mapper.class_, "before_mapper_configured", _passed_over, retval=True)
    for table in brought.tables:
        if not table.startswith(f"{name}_") and table in metadata.tables:
            metadata.remove(metadata.tables[table])


def _passed_over(_mapper: Mapper[Any], _model: type[Any]) -> object:
    return EXT_SKIP
