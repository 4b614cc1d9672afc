"""``zhijia four-seasons ...``: renewing study aid, and what a demonstration needs."""

from collections.abc import Callable

import click
from flask_babel import gettext as _
from sqlalchemy import select

from core.api import SYSTEM, NotFound, ProgramYear, User, db, find
from plugins.four_seasons.autumn import fictional as autumn
from plugins.four_seasons.autumn import years as study_aid
from plugins.four_seasons.autumn.words import APPLICATIONS
from plugins.four_seasons.spring import fictional as spring
from plugins.four_seasons.summer import fictional as summer
from plugins.four_seasons.winter import services
from plugins.four_seasons.words import AUTUMN, SPRING, SUMMER, WINTER

#: Season -> what makes a fictional year of it, and says how many there are of each kind.
SEASONS: dict[str, Callable[[User, ProgramYear], dict[str, int]]] = {
    SPRING: spring.make_year,
    SUMMER: summer.make_year,
    AUTUMN: autumn.make_year,
}
_of_year = click.option("--year", type=int, required=True)
_of_sponsor = click.option("--sponsor", required=True, help="Code of the union that runs the campaign.")


@click.command("make-list")
@_of_year
@_of_sponsor
def make_list(year: int, sponsor: str) -> None:
    """Put everybody on file on the hardship list of a year, for a demonstration."""
    click.echo(f"added {services.make_list(SYSTEM, _found(year, sponsor, WINTER))}")


@click.command("renew-study-aid")
@_of_year
@_of_sponsor
@click.option("--program", type=click.Choice(list(APPLICATIONS)), default=AUTUMN, show_default=True)
def renew(year: int, sponsor: str, program: str) -> None:
    """Take over whom the year before paid and who has not graduated; as often as you like."""
    click.echo(f"renewed {study_aid.renew(SYSTEM, _found(year, sponsor, program))}")


@click.command("make-season")
@click.argument("season", type=click.Choice(list(SEASONS)))
@_of_year
@_of_sponsor
@click.option("--user", "username", required=True, help="Who writes it down; who may spend for all unions.")
def make_season(season: str, year: int, sponsor: str, username: str) -> None:
    """Make the fictional records of a season, for a demonstration."""
    user = db.session.scalar(select(User).where(User.username == username))
    if user is None:
        raise NotFound(_("There is no user %(name)s.", name=username))
    for kind, count in SEASONS[season](user, _found(year, sponsor, season)).items():
        click.echo(f"{kind} {count}")


def _found(year: int, sponsor: str, program: str) -> ProgramYear:
    program_year = find(year, sponsor, program)
    if program_year is None:
        raise NotFound(_("The program is not enabled for %(year)s and the sponsor %(code)s.", year=year, code=sponsor))
    return program_year
