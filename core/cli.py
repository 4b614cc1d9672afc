"""The command line: ``zhijia ...``. Each area brings its own group; errors are one sentence on stderr."""

import sys

import click
from flask.cli import FlaskGroup

from core import create_app
from core.disbursements.cli import runs, verify
from core.embedded.cli import services
from core.errors import ZhijiaError
from core.ledger.cli import ledger
from core.notices.cli import calendar
from core.org.cli import orgs
from core.people.cli import people
from core.plugin.cli import plugin
from core.plugin.db_cli import database
from core.plugin.scaffold.cli import new
from core.programs.cli import years
from core.users.cli import users


@click.group(cls=FlaskGroup, create_app=create_app, add_default_commands=False)
def zhijia() -> None:
    """职家: the intranet of a provincial trade-union federation."""


for group in (calendar, database, ledger, orgs, people, plugin, runs, services, users, verify, years):
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
