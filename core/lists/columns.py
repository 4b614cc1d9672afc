"""How the values of a column read: on a page, and in a spreadsheet, where numbers stay numbers."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from flask_babel import gettext as _

from core.lists.types import Column
from core.money import yuan
from core.people.numbers import mask_account, mask_id, mask_phone
from core.web.filters import NOTHING, local_day, local_time

#: Kinds of columns that stand to the right and can be added up.
NUMBERS = ("number", "yuan")


def headings(columns: Iterable[Column]) -> list[str]:
    """The titles; a column of money says its unit."""
    return [
        str(_("%(title)s (yuan)", title=column.title)) if column.kind == "yuan" else str(column.title)
        for column in columns
    ]


def shown(column: Column, value: Any) -> str:
    """A value as people read it on a page."""
    if value is None or value == "":
        return NOTHING
    match column.kind:
        case "yuan":
            return yuan(value)
        case "number":
            return f"{_plain(value):,}"
        case _:
            return _text(column, value)


def cell(column: Column, value: Any) -> str | int | Decimal:
    """A value for a spreadsheet: numbers as such, money in yuan."""
    if value is None:
        return ""
    match column.kind:
        case "yuan":
            return Decimal(value) / 100
        case "number":
            return _plain(value)
        case _:
            return _text(column, value)


def _text(column: Column, value: Any) -> str:
    match column.kind:
        case "day":
            return local_day(value)
        case "moment":
            return local_time(value)
        case "choice":
            codes = value if isinstance(value, list) else [value]
            return str(_(", ")).join(str(column.choices.get(str(code), code)) for code in codes)
        case "identity":
            return mask_id(value)
        case "phone":
            return mask_phone(value)
        case "account":
            return mask_account(value)
        case _:
            return str(value)


def _plain(value: Any) -> int | Decimal:
    """A sum of whole numbers comes out of the database as a decimal without a fraction."""
    number = Decimal(value)
    return int(number) if number == number.to_integral_value() else number
