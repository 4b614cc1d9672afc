"""``zhijia calendar``: which days are worked."""

from datetime import datetime

import click
from flask.cli import AppGroup

from core.audit.services import SYSTEM
from core.errors import NotFound
from core.notices.calendar import calendar_known, is_working_day
from core.notices.services import set_day
from core.org.queries import by_code

calendar = AppGroup("calendar", help="Which days are worked.")
DAY = click.DateTime(["%Y-%m-%d"])


@calendar.command("show")
@click.argument("day", type=DAY)
def show(day: datetime) -> None:
    """Say whether DAY (2026-10-01) is worked."""
    known = "" if calendar_known(day.year) else f" (the holidays of {day.year} are not known yet)"
    click.echo(f"{day:%Y-%m-%d} is {'' if is_working_day(day.date()) else 'not '}a working day{known}")


@calendar.command("set")
@click.argument("day", type=DAY)
@click.option("--working/--off", required=True, help="Whether it is worked.")
@click.option("--reason", required=True, help="Such as the number of the document that says so.")
@click.option("--org", "code", default="61", show_default=True, help="The organisation that decided it.")
def change(day: datetime, working: bool, reason: str, code: str) -> None:
    """Set DAY against the published calendar, or before there is one."""
    org = by_code(code)
    if org is None:
        raise NotFound(f"There is no organisation with the code {code}.")
    set_day(SYSTEM, org, day.date(), working=working, reason=reason)
    click.echo(f"{day:%Y-%m-%d} is {'' if working else 'not '}a working day")
