"""Making reports: what a plugin's one ``SELECT`` answers, within the reader's scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import structlog
from flask_babel import gettext as _
from sqlalchemy import Row

from core.errors import Refused
from core.extensions import db
from core.lists.columns import NUMBERS, shown
from core.lists.types import Column
from core.plugin.registry import registry_of
from core.plugin.types import Report, ReportContext
from core.programs.models import ProgramYear
from core.users.access import can_anywhere, scope_of
from core.users.models import User

LARGEST = 1000
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Table:
    """A report: its values as the database gave them, and as people read them.

    ``totals`` has the sum of each column of numbers, and none for the others; it is none as a whole where there is
    nothing to add up, or where rows were cut off.
    """

    values: Sequence[Sequence[Any]]
    shown: Sequence[Sequence[str]]
    totals: Sequence[Decimal | None] | None
    is_cut: bool


def reports_of(user: User, program_year: ProgramYear) -> list[Report]:
    """The reports of the program that the user may see, in the order in which the plugin names them."""
    return [
        report
        for report in registry_of().reports.values()
        if report.program == program_year.program and can_anywhere(user, report.permission, report.program)
    ]


def find_report(program_year: ProgramYear, name: str) -> Report | None:
    """The report of the program with this name, if its plugin is loaded."""
    found = (item for item in registry_of().reports.values() if item.program == program_year.program)
    return next((report for report in found if report.name == name), None)


def table_of(user: User, program_year: ProgramYear, report: Report) -> Table:
    """What the report says to this user, at most :data:`LARGEST` rows.

    Raises :class:`Refused` with one sentence when it fails in any way; the log says why.
    """
    context = ReportContext(program_year=program_year, scope=scope_of(user, report.permission, program_year.program))
    try:
        with db.session.begin_nested():  # what fails in here leaves the rest of the page as it was
            # Streamed, as a limit of ours would take the place of the report's own.
            answer = db.session.execute(report.select(context), execution_options={"stream_results": True})
            rows = answer.fetchmany(LARGEST + 1)
            answer.close()
        return _table(report.columns, rows)
    except Exception as error:
        log.exception("report failed", report=report.code, error=repr(error))
        sentence = _("This report cannot be made, as its plugin failed. The administrator finds the reason in the log.")
        raise Refused(sentence) from error


def _table(columns: Sequence[Column], rows: Sequence[Row[Any]]) -> Table:
    values = [[row._mapping[column.name] for column in columns] for row in rows[:LARGEST]]
    is_cut = len(rows) > LARGEST
    has_totals = bool(rows) and not is_cut and any(column.kind in NUMBERS for column in columns)
    return Table(
        values=values,
        shown=[[shown(column, value) for column, value in zip(columns, row, strict=True)] for row in values],
        totals=[_sum(column, values, place) for place, column in enumerate(columns)] if has_totals else None,
        is_cut=is_cut,
    )


def _sum(column: Column, values: Sequence[Sequence[Any]], place: int) -> Decimal | None:
    return sum((Decimal(row[place] or 0) for row in values), Decimal()) if column.kind in NUMBERS else None
