"""``zhijia db ...`` and ``zhijia plugins ...``: the tables of core and plugins, and what is loaded."""

import sys

import click
from flask.cli import AppGroup

from core.errors import ZhijiaError
from core.extensions import db
from core.plugin.migrate import Owner, Upgraded, current, differences, head, owners_of, strangers, upgrade
from core.plugin.registry import reason_of, registry_of


def owners() -> list[Owner]:
    """The core and every loaded plugin with tables, in the order in which they migrate."""
    registry = registry_of()
    return owners_of(registry.plugins, registry.owners)


def migrate_all() -> list[str]:
    """Migrate the core and every loaded plugin; returns the names of those that moved. Raises what goes wrong."""
    done = upgrade(db.engine, owners())
    for name, error in done.failed.items():
        raise ZhijiaError(f"The tables of {name} could not be upgraded: {error}") from error
    return done.moved


@click.group("db", cls=AppGroup)
def database() -> None:
    """The tables of the core and of every plugin."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring all tables to their newest revision: core first, then the plugins."""
    done: Upgraded = upgrade(db.engine, owners())
    for name in done.moved:
        click.echo(f"upgraded {name}")
    _report_strangers()
    for name, error in done.failed.items():
        click.echo(f"failed {name}: {reason_of(error)}", err=True)
    if done.failed:
        sys.exit(1)


@database.command("current")
def database_current() -> None:
    """Show which revision the tables of each owner are at."""
    with db.engine.connect() as connection:
        for owner in owners():
            here, newest = current(owner, connection), head(owner, connection)
            note = "" if here == newest else f" (newest is {newest}; run: zhijia db upgrade)"
            click.echo(f"{owner.name} {here or 'none'}{note}")
    _report_strangers()


@database.command("check")
def database_check() -> None:
    """Compare models and tables of each owner; exit 1 where they differ."""
    wrong = 0
    with db.engine.connect() as connection:
        for owner in owners():
            found = differences(owner, connection)
            wrong += len(found)
            for line in found:
                click.echo(f"{owner.name}: {line}", err=True)
            if not found:
                click.echo(f"{owner.name} ok")
    _report_strangers()
    if wrong:
        sys.exit(1)


def _report_strangers() -> None:
    with db.engine.connect() as connection:
        for name in strangers(connection, owners()):
            click.echo(f"{name} has tables here, but no loaded plugin owns them; they are left alone")


@click.group("plugins", cls=AppGroup)
def plugins() -> None:
    """What is loaded, and what is in quarantine and why."""


@plugins.command("list")
def plugins_list() -> None:
    """One line a plugin: loaded with its programs, or quarantined with the reason."""
    registry = registry_of()
    for plugin in registry.plugins.values():
        programs = ", ".join(program.code for program in plugin.programs) or "no program"
        click.echo(f"loaded {plugin.name}: {programs}")
    for name, error in registry.failed.items():
        click.echo(f"quarantined {name}: {reason_of(error)}")
