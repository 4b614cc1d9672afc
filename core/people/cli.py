"""``zhijia people``: the people on file."""

from itertools import islice

import click
from flask.cli import AppGroup

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.org.queries import by_code
from core.org.scope import Scope
from core.people.making import make_people, people_of
from core.people.numbers import mask_name, parse_id_number
from core.people.personal import erase
from core.people.queries import PersonView, by_id, by_id_number

EVERYWHERE = Scope(("/",))
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


@people.command("erase")
@click.argument("id_number", required=False)
@click.option("--id", "person_id", type=int, help="The file's id, as in the address of its page, instead of a number.")
@click.option("--reason", required=True, help="Why; it stays in the audit trail, so name nobody.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase_person(id_number: str | None, person_id: int | None, reason: str, yes: bool) -> None:
    """Make everything that is kept about a person unreadable, for good.

    Without ID_NUMBER and --id it asks for the number, which then stands in no history of the shell. What was paid
    stays in the books as it was posted.
    """
    person = _person(id_number, person_id)
    if not yes:
        click.confirm(f"Erase {mask_name(person.name)}, {person.id_number}, {person.org_name}, for good?", abort=True)
    for record in erase(SYSTEM, EVERYWHERE, person.id, reason):
        click.echo(f"{record.title}: " + ", ".join(f"{title} {value}" for title, value in record.values.items()))
    click.echo(f"erased file {person.id}")


def _person(id_number: str | None, person_id: int | None) -> PersonView:
    if person_id is not None:
        if id_number is not None:
            raise click.UsageError("Give an identity number or --id, not both.")
        person = by_id(EVERYWHERE, person_id)
    else:
        number = parse_id_number(id_number or click.prompt("Identity number", hide_input=True)).number
        person = by_id_number(EVERYWHERE, number)
    if person is None:
        raise NotFound("There is nobody on file with this number.")
    return person
