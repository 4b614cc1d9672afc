"""The command line: ``zhijia ...``. Each area brings its own group; errors are one sentence on stderr."""

import sys

import click
from flask.cli import FlaskGroup

from core import create_app
from core.errors import ZhijiaError
from core.extensions import db
from core.org.cli import orgs
from core.people.cli import people
from core.plugin.migrate import CORE, Owner, upgrade
from core.plugin.registry import registry_of


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False)
def zhijia() -> None:
    """职家: the intranet of a provincial trade-union federation."""


zhijia.add_command(orgs)
zhijia.add_command(people)


@zhijia.group("db")
def database() -> None:
    """The tables of the core and of every plugin."""


@database.command("upgrade")
def database_upgrade() -> None:
    """Bring all tables to their newest revision: core first, then the plugins."""
    for name in migrate_all():
        click.echo(f"upgraded {name}")


def migrate_all() -> list[str]:
    """Migrate the core and every loaded plugin; returns the names of those that moved."""
    plugins = registry_of().plugins.values()
    return upgrade(db.engine, [CORE, *(Owner(item.name, item.migrations) for item in plugins if item.migrations)])


def main() -> None:
    """Run a command; an error of the house is a sentence, not a traceback."""
    try:
        zhijia()
    except ZhijiaError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
