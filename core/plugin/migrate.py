"""Migrations: one environment, a version table per owner, core first, under one advisory lock, never at start-up."""

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from core.config import ROOT

FOLDER = ROOT / "migrations"
#: Any constant will do, as long as every process uses the same.
LOCK = 7_262_014


@dataclass(frozen=True)
class Owner:
    """Whose tables: ``core``, or a plugin's name; ``versions`` is the folder of its revisions."""

    name: str
    versions: Path


CORE = Owner("core", FOLDER / "versions")


def alembic_config(owner: Owner, connection: Connection) -> Config:
    """The Alembic configuration of one owner on one connection."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "newline")
    config.set_main_option("version_locations", str(owner.versions))
    config.attributes["owner"] = owner.name
    config.attributes["connection"] = connection
    return config


def upgrade(engine: Engine, owners: list[Owner]) -> list[str]:
    """Bring every owner to its newest revision, in the order given; returns the names of those that moved."""
    moved = []
    with engine.begin() as lock:
        lock.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        for owner in owners:
            with engine.begin() as connection:
                before = current(owner, connection)
                command.upgrade(alembic_config(owner, connection), "head")
                if current(owner, connection) != before:
                    moved.append(owner.name)
    return moved


def current(owner: Owner, connection: Connection) -> str | None:
    """The revision that the owner's tables are at, or none."""
    context = MigrationContext.configure(connection, opts={"version_table": f"{owner.name}_alembic"})
    return context.get_current_revision()


def head(owner: Owner, connection: Connection) -> str | None:
    """The newest revision that the owner's folder has."""
    return ScriptDirectory.from_config(alembic_config(owner, connection)).get_current_head()
