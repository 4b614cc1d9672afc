"""``zhijia people``: the people on file."""

from itertools import islice

import click
from flask.cli import AppGroup

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.org.queries import by_code
from core.people.making import make_people, people_of

people = AppGroup("people", help="The people on file.")


@people.command("make")
@click.option("--count", type=int, required=True, help="How many people of this seed shall be on file.")
@click.option("--seed", type=int, required=True, help="The same seed makes the same people.")
@click.option("--org", "code", default="61", show_default=True, help="Only under this organisation.")
@click.option("--show", type=click.IntRange(min=0), default=0, help="Print so many of them, to type into forms.")
def make(count: int, seed: int, code: str, show: int) -> None:
    """Put fictional people on file, for a demo or a measurement. Running it again adds nobody."""
    org = by_code(code)
    if org is None:
        raise NotFound(f"There is no organisation with the code {code}.")
    made = make_people(SYSTEM, count, seed, org)
    click.echo(f"added {made.added}, already there {made.already}")
    for row in islice(people_of(seed, org), min(show, count)):
        click.echo(f"{row.id_number} {row.name} {row.org_code}")
