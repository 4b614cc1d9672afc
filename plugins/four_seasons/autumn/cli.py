"""``zhijia four-seasons ...`` of study aid."""

import click
from flask_babel import gettext as _

from core.api import SYSTEM, NotFound, ProgramYear, find
from plugins.four_seasons.autumn import fictional, years
from plugins.four_seasons.autumn.words import APPLICATIONS
from plugins.four_seasons.words import AUTUMN

_YEAR = click.option("--year", type=int, required=True)
_SPONSOR = click.option("--sponsor", required=True, help="Code of the union that runs the campaign.")
_PROGRAM = click.option("--program", type=click.Choice(list(APPLICATIONS)), default=AUTUMN, show_default=True)


@click.command("renew-study-aid")
@_YEAR
@_SPONSOR
@_PROGRAM
def renew(year: int, sponsor: str, program: str) -> None:
    """Take over whom the year before paid and who has not graduated; as often as you like."""
    click.echo(f"renewed {years.renew(SYSTEM, _found(year, sponsor, program))}")


@click.command("make-students")
@_YEAR
@_SPONSOR
@_PROGRAM
@click.option("--count", type=click.IntRange(1, 1_000_000), default=fictional.STUDENTS, show_default=True)
def make_students(year: int, sponsor: str, program: str, count: int) -> None:
    """Put approved applications of fictional students into a year, for a demonstration."""
    click.echo(f"added {fictional.make_students(SYSTEM, _found(year, sponsor, program), count)}")


def _found(year: int, sponsor: str, program: str) -> ProgramYear:
    program_year = find(year, sponsor, program)
    if program_year is None:
        raise NotFound(_("The program is not enabled for %(year)s and the sponsor %(code)s.", year=year, code=sponsor))
    return program_year
