"""``zhijia hardship-aid ...``."""

import click
from flask_babel import gettext as _

from core.api import SYSTEM, NotFound, find
from plugins.hardship_aid.fictional import make_year
from plugins.hardship_aid.words import PROGRAM


@click.command("make-files")
@click.option("--year", type=int, required=True)
@click.option("--sponsor", required=True, help="Code of the union that runs the program.")
def make_files(year: int, sponsor: str) -> None:
    """Give everybody a fictional file, with leaders who visit some of them, for a demonstration."""
    program_year = find(year, sponsor, PROGRAM)
    if program_year is None:
        raise NotFound(_("The program is not enabled for %(year)s and the sponsor %(code)s.", year=year, code=sponsor))
    for kind, count in make_year(SYSTEM, program_year).items():
        click.echo(f"{kind} {count}")
