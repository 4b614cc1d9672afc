"""Migrations: one environment, a version table per owner, core first, under one advisory lock, never at start-up."""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import Script, ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from core.config import ROOT
from core.database import metadata
from core.errors import ConfigError
from core.plugin.types import Plugin
from core.plugin.walls import protect

FOLDER = ROOT / "migrations"
VERSIONS = "_alembic"
#: Any constant will do, as long as every process uses the same.
LOCK = 7_262_014


@dataclass(frozen=True)
class Owner:
    """Whose tables: ``core``, or a plugin's name; ``versions`` is the folder of its revisions.

    ``after`` are the owners whose tables must stand first.
    """

    name: str
    versions: Path
    after: frozenset[str] = frozenset()


@dataclass
class Upgraded:
    """What an upgrade did: the owners that moved, and those that could not and why."""

    moved: list[str] = field(default_factory=list)
    failed: dict[str, BaseException] = field(default_factory=dict)


CORE = Owner("core", FOLDER / "versions")


def owners_of(plugins: Mapping[str, Plugin], owner_of_program: Mapping[str, str]) -> list[Owner]:
    """The core, then every plugin with tables. The registry loads what is required first, so its order holds here."""
    found = [CORE]
    for plugin in plugins.values():
        if plugin.migrations is not None:
            after = frozenset(owner_of_program[code] for code in plugin.requires)
            found.append(Owner(plugin.name, plugin.migrations, after))
    return found


def is_behind(plugin: Plugin, connection: Connection) -> bool:
    """Whether the plugin's tables are not at the newest revision of its folder.

    Raises :class:`ConfigError` when its revisions cannot be read.
    """
    if plugin.migrations is None:
        return False
    owner = Owner(plugin.name, plugin.migrations)
    return current(owner, connection) != head(owner)


def alembic_config(owner: Owner, connection: Connection | None = None) -> Config:
    """The Alembic configuration of one owner on one connection; none will do to read its folder."""
    config = Config(cmd_opts=Namespace(quiet=True))
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(owner.versions))
    config.attributes["owner"] = owner.name
    config.attributes["connection"] = connection
    return config


def context_options(owner: str) -> dict[str, Any]:
    """How Alembic looks at one owner: its own tables and version table, blind to everybody else's."""

    def is_own(name: str | None) -> bool:
        return (name or "").startswith(f"{owner}_")

    def include_name(name: str | None, kind: str, _parents: object) -> bool:
        return kind != "table" or is_own(name)

    def include_object(_object: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
        return kind != "table" or is_own(name)

    return {
        "target_metadata": metadata,
        "version_table": owner + VERSIONS,
        "include_name": include_name,
        "include_object": include_object,
        "compare_type": True,
    }


def upgrade(engine: Engine, owners: list[Owner]) -> Upgraded:
    """Bring every owner to its newest revision, in the order given, each in its own transaction.

    A plugin that fails is left where it was, and those after it that need it; the others go on. The core's failure
    ends everything: it is raised.
    """
    done = Upgraded()
    with alone(engine):
        for owner in owners:
            try:
                missing = owner.after & set(done.failed)
                if missing:
                    raise RuntimeError(f"it needs the tables of {', '.join(sorted(missing))}")
                if _upgrade_one(engine, owner):
                    done.moved.append(owner.name)
            except (Exception, SystemExit) as error:  # a broken plugin breaks only itself
                if owner.name == CORE.name:
                    raise
                done.failed[owner.name] = error
    return done


@contextmanager
def alone(engine: Engine) -> Iterator[None]:
    """Only one process at a time changes tables or revisions; the others wait here."""
    with engine.begin() as lock:
        lock.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        yield


def _upgrade_one(engine: Engine, owner: Owner) -> bool:
    newest = head(owner)  # refuses what is not one line
    with engine.begin() as connection:
        moves = current(owner, connection) != newest
        if moves:
            command.upgrade(alembic_config(owner, connection), "head")
        protect(connection, owner.name)
        return moves


def current(owner: Owner, connection: Connection) -> str | None:
    """The revision that the owner's tables are at, or none."""
    context = MigrationContext.configure(connection, opts={"version_table": owner.name + VERSIONS})
    return context.get_current_revision()


def head(owner: Owner) -> str | None:
    """The newest revision that the owner's folder has. Raises :class:`ConfigError` like :func:`history`."""
    known = history(owner)
    return known[-1] if known else None


def history(owner: Owner) -> list[str]:
    """The revisions in the owner's folder, the oldest first.

    Raises :class:`ConfigError` when they cannot be read or are not one line.
    """
    try:
        script = ScriptDirectory.from_config(alembic_config(owner))
        revisions = list(script.walk_revisions())
        heads = script.get_heads()
    except (Exception, SystemExit) as error:
        raise ConfigError(f"The revisions of {owner.name} cannot be read: {type(error).__name__}: {error}") from error
    files = [file for file in owner.versions.glob("*.py") if file.is_file() and file.name != "__init__.py"]
    if len({revision.revision for revision in revisions}) < len(files):  # Alembic would pass one of them over
        raise ConfigError(f"Two files in {owner.versions} have the same revision.")
    if len(heads) > 1:
        raise ConfigError(f"The revisions of {owner.name} are not one line: {' and '.join(sorted(heads))} both end it.")
    for revision in revisions:
        _check_line(owner, revision)
    return [revision.revision for revision in reversed(revisions)]


def _check_line(owner: Owner, revision: Script) -> None:
    which = f"The revision {revision.revision} of {owner.name}"
    if revision.dependencies:
        raise ConfigError(f"{which} has depends_on; the order of plugins comes from what their programs require.")
    if revision.branch_labels:
        raise ConfigError(f"{which} has a branch label; revisions are one line.")
    if revision.is_merge_point:
        raise ConfigError(f"{which} joins two lines; revisions are one line.")


def differences(owner: Owner, connection: Connection) -> list[str]:
    """Where the owner's models and its tables differ, one line each; none when a migration covers everything."""
    context = MigrationContext.configure(connection, opts=context_options(owner.name))
    return [_described(change) for change in compare_metadata(context, metadata)]


def _described(change: Any) -> str:
    """``add_column core_org.motto`` from what Alembic's comparison gives: a tuple, or a list of tuples for a column."""
    if isinstance(change, list):
        return "; ".join(_described(each) for each in change)
    words = []
    for part in change[1:]:
        named = getattr(part, "name", None) or (part if isinstance(part, str) else None)
        table = getattr(getattr(part, "table", None), "name", None)
        if named:
            words.append(f"{table}.{named}" if table and table != named else str(named))
    return " ".join([change[0], *words])


def strangers(connection: Connection, owners: list[Owner]) -> list[str]:
    """Owners whose tables stand in the database although no loaded plugin owns them; they are left alone."""
    known = {owner.name for owner in owners}
    tables = inspect(connection).get_table_names()
    names = [name.removesuffix(VERSIONS) for name in tables if name.endswith(VERSIONS)]
    return sorted(set(names) - known)
