"""The report that every register has by itself: how many entries there are, and the sums of what its list adds up."""

from functools import partial
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ARRAY, Select, literal

from core.lists.queries import values_of
from core.lists.types import Column, Expression
from core.plugin.types import Register, Report, ReportContext
from core.registers.listing import listing_of, own_columns

#: No attribute of a model is called so.
ENTRIES = "entries-"


def report_of(register: Register) -> Report:
    """By union and by each column of choices: the number of entries, and the sum of each column with ``total``."""
    of_register = own_columns(register)
    dimensions = [column for column in of_register if column.kind == "choice" and not _holds_several(register, column)]
    measures = [column for column in of_register if column.total]
    return Report(
        code=register.code,
        program=register.program,
        title=register.title,
        permission=register.view_permission,
        columns=(*dimensions, Column(name=ENTRIES, title=_l("Number of entries"), kind="number"), *measures),
        select=partial(_entries, register, [*dimensions, *measures]),
        yearly=hasattr(register.model, "program_year_id"),
    )


def _entries(register: Register, columns: list[Column], context: ReportContext) -> Select[*tuple[Any, ...]]:
    """A row for each entry."""
    listing = listing_of(register, context.program_year)
    values: dict[str, Expression] = {"org_path": register.model.org_path, ENTRIES: literal(1)}
    return values_of(listing, context.scope, values | {column.name: listing.value(column) for column in columns})


def _holds_several(register: Register, column: Column) -> bool:
    """An entry with several choices would stand in no one group."""
    value = getattr(register.model, column.name) if column.expression is None else column.expression
    return isinstance(value.type, ARRAY)
