"""``zhijia four-seasons ...``."""

import click
from flask_babel import gettext as _

from core.api import SYSTEM, NotFound, find
from plugins.four_seasons.winter import services
from plugins.four_seasons.words import WINTER


@click.command("make-list")
@click.option("--year", type=int, required=True)
@click.option("--sponsor", required=True, help="Code of the union that runs the campaign.")
def make_list(year: int, sponsor: str) -> None:
    """Put everybody on file on the hardship list of a year, for a demonstration."""
    program_year = find(year, sponsor, WINTER)
    if program_year is None:
        raise NotFound(_("The program is not enabled for %(year)s and the sponsor %(code)s.", year=year, code=sponsor))
    click.echo(f"added {services.make_list(SYSTEM, program_year)}")
