"""``zhijia years ...``: switching programs on from the command line."""

from datetime import date, datetime

import click
from flask.cli import AppGroup
from flask_babel import gettext as _

from core.audit.services import SYSTEM
from core.errors import NotFound, Refused, ZhijiaError
from core.org.queries import by_code
from core.programs.copying import copy_year, preview
from core.programs.forms import checked_texts
from core.programs.models import ProgramYear
from core.programs.queries import everything, find, state_of
from core.programs.services import close, disable, enable, loaded_program

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("years", cls=AppGroup)
def years() -> None:
    """Programs year by year."""


@years.command("enable")
@click.argument("program")
@click.option("--year", type=int, required=True)
@click.option("--sponsor", required=True, help="Code of the union that runs it.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="A setting, written as in its form.")
@click.option("--opens", type=DAY, help="First day; 1 January of the year when not given.")
@click.option("--closes", type=DAY, help="Last day; none when not given.")
def years_enable(
    program: str,
    year: int,
    sponsor: str,
    assignments: tuple[str, ...],
    opens: datetime | None,
    closes: datetime | None,
) -> None:
    """Switch PROGRAM on for a year and a sponsor."""
    org = by_code(sponsor)
    if org is None:
        raise NotFound(_("There is no union with the code “%(code)s”.", code=sponsor))
    form = loaded_program(program).settings_form
    texts = dict(_split(assignment) for assignment in assignments)
    program_year = enable(
        SYSTEM,
        program,
        year,
        org,
        opens_on=opens.date() if opens else _first_day(year),
        closes_on=closes.date() if closes else None,
        settings=checked_texts(form, texts) if form else texts,
    )
    click.echo(f"enabled {program} {year} for {org.name} ({state_of(program_year)})")


@years.command("copy")
@click.argument("source", type=int)
@click.argument("target", type=int)
@click.option("--dry-run", is_flag=True, help="Only show what would be copied.")
@click.option("--skip", is_flag=True, help="Leave out what cannot be copied, instead of copying nothing.")
def years_copy(source: int, target: int, dry_run: bool, skip: bool) -> None:
    """Copy every program that is on in SOURCE into TARGET: settings and quotas, never people."""
    lines = preview(SYSTEM, source, target)
    for line in lines:
        words = line.refusal or "; ".join(
            [*(f"{change.label}: {change.before} -> {change.after}" for change in line.changes), *line.copied]
        )
        click.echo(
            f"{'refused' if line.refusal else 'copies'} {line.title}, {line.sponsor}: {words or 'only the dates'}"
        )
    if dry_run:
        return
    chosen = [line.program_year_id for line in lines if not line.refusal or not skip]
    if not chosen:
        raise Refused(_("There is nothing to copy from %(year)s.", year=source))
    click.echo(f"copied {len(copy_year(SYSTEM, source, target, chosen))} programs from {source} into {target}")


@years.command("disable")
@click.argument("program")
@click.option("--year", type=int, required=True)
@click.option("--sponsor", required=True, help="Code of the union that runs it.")
def years_disable(program: str, year: int, sponsor: str) -> None:
    """Switch PROGRAM off for a year; nothing is deleted."""
    disable(SYSTEM, _there(program, year, sponsor))
    click.echo(f"disabled {program} {year}")


@years.command("close")
@click.argument("program")
@click.option("--year", type=int, required=True)
@click.option("--sponsor", required=True, help="Code of the union that runs it.")
def years_close(program: str, year: int, sponsor: str) -> None:
    """Close PROGRAM for good in a year: it stays readable and can never be changed again."""
    close(SYSTEM, _there(program, year, sponsor))
    click.echo(f"closed {program} {year}")


def _there(program: str, year: int, sponsor: str) -> ProgramYear:
    program_year = find(year, sponsor, program)
    if program_year is None:
        raise NotFound(_("The program is not enabled for %(year)s and the sponsor %(code)s.", year=year, code=sponsor))
    return program_year


@years.command("list")
def years_list() -> None:
    """Every program year with its state, the newest first."""
    for program_year, sponsor in everything():
        until = program_year.closes_on or "…"
        words = [program_year.year, sponsor.code, program_year.program, state_of(program_year)]
        click.echo(" ".join(str(word) for word in [*words, f"{program_year.opens_on}..{until}", sponsor.name]))


def _first_day(year: int) -> date:
    try:
        return date(year, 1, 1)
    except ValueError as error:
        raise ZhijiaError(_("There is no year %(year)s.", year=year)) from error


def _split(assignment: str) -> tuple[str, str]:
    name, sign, value = assignment.partition("=")
    if not sign:
        raise ZhijiaError(_("“%(text)s” is not written as key=value.", text=assignment))
    return name.strip(), value
