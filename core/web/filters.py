"""Jinja filters: how money, numbers, days and instants read on a page."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from flask import Flask, request

from core.config import LOCAL_ZONE
from core.money import yuan

NOTHING = "—"


def wan(fen: int | None) -> str:
    """Fen as 万元 with two decimals: ``1100000000`` is ``1,100.00``."""
    return NOTHING if fen is None else f"{Decimal(fen) / 1_000_000:,.2f}"


def show_yuan(fen: int | None) -> str:
    """Fen as yuan: ``1234567`` is ``12,345.67``."""
    return NOTHING if fen is None else yuan(fen)


def number(value: int | None) -> str:
    """A count with thousands separators."""
    return NOTHING if value is None else f"{value:,}"


def capped(value: int) -> str:
    """A count for a small place: 999 at most."""
    return str(value) if value < 1000 else "999+"


def percent(part: float | None, whole: float = 1) -> str:
    """``part`` of ``whole`` as ``12.3%``; nothing when there is no whole."""
    return NOTHING if part is None or not whole else f"{part / whole:.1%}"


def local_time(instant: datetime | None) -> str:
    """An instant (UTC in the database) as people in China read it: ``2014-01-02 15:04``."""
    return instant.astimezone(LOCAL_ZONE).strftime("%Y-%m-%d %H:%M") if instant else NOTHING


def local_day(day: date | datetime | None) -> str:
    """A day, or the day of an instant, in China: ``2014-01-02``."""
    if isinstance(day, datetime):
        day = day.astimezone(LOCAL_ZONE).date()
    return day.isoformat() if day else NOTHING


def address(base: str, arguments: Mapping[str, Any]) -> str:
    """An address with arguments: what is empty is left out, a list is repeated."""
    given = {name: value for name, value in arguments.items() if value not in (None, "", [])}
    return f"{base}?{urlencode(given, doseq=True)}" if given else base


def as_asked(base: str) -> str:
    """An address with all the arguments of the one that is shown, each value of each; whatever they are called."""
    return address(base, request.args.to_dict(flat=False))


def init_app(app: Flask) -> None:
    """Make the filters known to the templates."""
    app.jinja_env.filters.update(
        as_asked=as_asked,
        yuan=show_yuan,
        wan=wan,
        number=number,
        capped=capped,
        percent=percent,
        local_time=local_time,
        local_day=local_day,
    )
