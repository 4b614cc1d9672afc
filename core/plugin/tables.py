"""The tables of the core and of the plugins that are loaded, as this process and its database have them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

from flask import current_app
from sqlalchemy import Engine, create_engine

from core.errors import ConfigError, NotFound, ZhijiaError
from core.extensions import db
from core.plugin.grants import grant
from core.plugin.migrate import CORE, Owner, Upgraded, current, head, owners_of, upgrade
from core.plugin.registry import reason_of, registry_of
from core.plugin.walls import set_key


@dataclass(frozen=True)
class TableState:
    """Where the tables of an owner are and where they should be; ``fault`` says why its folder cannot be read."""

    here: str | None
    newest: str | None
    fault: str | None = None

    @property
    def behind(self) -> bool:
        """Whether the tables are not those that the code expects."""
        return self.fault is not None or self.here != self.newest


def owners() -> list[Owner]:
    """The core and every loaded plugin with tables, in the order in which they migrate."""
    registry = registry_of()
    return owners_of(registry.plugins, registry.owners)


def owner_named(name: str) -> Owner:
    """The core or a loaded plugin with tables. Raises :class:`NotFound` with what there is."""
    known = {owner.name: owner for owner in owners()}
    if name in known:
        return known[name]
    failed = registry_of().failed.get(name)
    if failed:
        raise NotFound(f"The plugin {name!r} is in quarantine: {reason_of(failed)}")
    raise NotFound(f"No loaded plugin with tables is called {name!r}; there are {', '.join(known)}.")


def with_foundations(name: str) -> list[Owner]:
    """The owner and those whose tables it stands on, in the order in which they migrate. Raises :class:`NotFound`."""
    needed = {owner_named(name).name, CORE.name}
    every = owners()
    for owner in reversed(every):
        if owner.name in needed:
            needed |= owner.after
    return [owner for owner in every if owner.name in needed]


@contextmanager
def owner_engine() -> Iterator[Engine]:
    """An engine of the role that owns the tables, whom no wall holds: for migrations and nothing else."""
    engine = create_engine(current_app.config["ZHIJIA_OWNER_URL"])
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def as_owner() -> Iterator[None]:
    """Have the session connect as the role that owns the tables, for what the role of the application may not do."""
    engines: dict[str | None, Engine] = cast(dict[str | None, Engine], db.engines)
    own = engines[None]
    db.session.rollback()  # the next transaction is the first as the owner
    with owner_engine() as engine:
        engines[None] = engine
        try:
            yield
        finally:
            db.session.rollback()
            engines[None] = own


def migrate(wanted: list[Owner]) -> Upgraded:
    """Bring these owners to their newest revision, and give the role of the application what it needs of all tables."""
    with owner_engine() as engine:
        done = upgrade(engine, wanted)
        with engine.begin() as connection:
            set_key(connection)
        if engine.url.username != db.engine.url.username:
            grant(engine, str(db.engine.url.username))
    return done


def migrate_all() -> list[str]:
    """Migrate the core and every loaded plugin; returns the names of those that moved. Raises what goes wrong."""
    done = migrate(owners())
    for name, error in done.failed.items():
        raise ZhijiaError(f"The tables of {name} could not be upgraded: {error}") from error
    return done.moved


def table_states() -> dict[str, TableState]:
    """Where the tables of each owner are, by its name."""
    with db.engine.connect() as connection:
        return {owner.name: _state(owner, current(owner, connection)) for owner in owners()}


def _state(owner: Owner, here: str | None) -> TableState:
    try:
        return TableState(here, head(owner))
    except ConfigError as error:
        return TableState(here, None, str(error))
