"""``zhijia db ...``: the tables of the core and of the plugins."""

import sys

import click
from flask.cli import AppGroup

from core.extensions import db
from core.plugin.grants import grant
from core.plugin.migrate import CORE, Owner, differences, strangers
from core.plugin.registry import reason_of
from core.plugin.revisions import BASE, take_back, write_revision
from core.plugin.tables import migrate, owner_engine, owner_named, owners, table_states, with_foundations

one_plugin = click.option("--plugin", "name", help="Only this plugin, or core.")
which_plugin = click.option("--plugin", "name", required=True, help="The plugin whose tables these are.")


@click.group("db", cls=AppGroup)
def database() -> None:
    """The tables of the core and of every plugin."""


@database.command("upgrade")
@click.option("--plugin", "name", help="Only this plugin and what its tables stand on.")
def database_upgrade(name: str | None) -> None:
    """Bring all tables to their newest revision: core first, then the plugins."""
    done = migrate(with_foundations(name) if name else owners())
    for moved in done.moved:
        click.echo(f"upgraded {moved}")
    if not name:
        _report_strangers()
    for failed, error in done.failed.items():
        click.echo(f"failed {failed}: {reason_of(error)}", err=True)
    if done.failed:
        sys.exit(1)


@database.command("current")
@one_plugin
def database_current(name: str | None) -> None:
    """Show which revision the tables of each owner are at."""
    if name:
        owner_named(name)
    for owner, state in table_states().items():
        if name in (None, owner):
            note = f" (newest is {state.newest}; run: zhijia db upgrade)" if state.behind else ""
            click.echo(f"{owner} {state.here or 'none'}{f' ({state.fault})' if state.fault else note}")
    if not name:
        _report_strangers()


@database.command("check")
@one_plugin
def database_check(name: str | None) -> None:
    """Compare models and tables of each owner; exit 1 where they differ."""
    wrong = 0
    for owner in _chosen(name):
        with db.engine.connect() as connection:
            found = differences(owner, connection)
        wrong += len(found)
        for line in found:
            click.echo(f"{owner.name}: {line}", err=True)
        if not found:
            click.echo(f"{owner.name} ok")
    if not name:
        _report_strangers()
    if wrong:
        sys.exit(1)


@database.command("grants")
@click.argument("role")
def database_grants(role: str) -> None:
    """Give the role that the application connects as what it needs, and no more. Run it after each upgrade."""
    with owner_engine() as engine:
        click.echo(f"{role} may use {grant(engine, role)} tables")


@database.command("revision")
@which_plugin
@click.option("-m", "--message", required=True, help="What changes, in a few words; it names the file.")
def database_revision(name: str, message: str) -> None:
    """Write the next revision of a plugin: what its models have and its tables have not. Read it before you use it."""
    with owner_engine() as engine:
        click.echo(f"wrote {write_revision(engine, owner_named(name), message)}")


@database.command("downgrade")
@which_plugin
@click.option("--to", help="Back to this revision, or base for none at all; one step when not given.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def database_downgrade(name: str, to: str | None, yes: bool) -> None:
    """Take revisions of a plugin back, and with them what its tables hold. There is no way to undo it."""
    owner = owner_named(name)
    if not yes and owner != CORE:
        what = "all tables" if to == BASE else "tables or columns"
        click.confirm(f"This drops {what} of {name} with everything in them. Go on?", abort=True)
    with owner_engine() as engine:
        left = take_back(engine, owner, owners(), to)
    state = table_states()[name]
    click.echo(f"{name} {state.here or 'none'}")
    if left:
        click.echo(f"its revisions left these tables behind: {', '.join(left)}", err=True)


def _chosen(name: str | None) -> list[Owner]:
    return [owner_named(name)] if name else owners()


def _report_strangers() -> None:
    with db.engine.connect() as connection:
        for name in strangers(connection, owners()):
            click.echo(f"{name} has tables here, but no loaded plugin owns them; they are left alone")
