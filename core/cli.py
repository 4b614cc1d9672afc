"""The command line: ``zhijia ...``. Each area brings its own group; errors are one sentence on stderr."""

import sys

import click
from flask import Flask, appcontext_pushed
from flask.cli import FlaskGroup

from core import create_app
from core.disbursements.cli import runs, verify
from core.embedded.cli import services
from core.errors import ZhijiaError
from core.keys.cli import keys
from core.ledger.cli import ledger
from core.notices.cli import calendar
from core.org.cli import orgs
from core.people.cli import people
from core.plugin.cli import plugin
from core.plugin.db_cli import database
from core.plugin.scaffold.cli import new
from core.programs.cli import years
from core.users.cli import users
from core.wall import Reach, reach_as


def _app_of_commands() -> Flask:
    """The application of the command line, which no scope binds: who may run it may read the database anyway."""
    app = create_app()
    appcontext_pushed.connect(_see_everything, app)
    return app


def _see_everything(_app: Flask) -> None:
    reach_as(Reach(beyond="command line"))


@click.group(cls=FlaskGroup, create_app=_app_of_commands, add_default_commands=False)
def zhijia() -> None:
    """职家: the intranet of a provincial trade-union federation."""


for group in (calendar, database, keys, ledger, orgs, people, plugin, runs, services, users, verify, years):
    zhijia.add_command(group)
plugin.add_command(new)


def main() -> None:
    """Run a command; an error of the house is a sentence, not a traceback."""
    try:
        zhijia()
    except ZhijiaError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
