"""Handing reports out, each download on record."""

from collections.abc import Sequence
from decimal import Decimal
from typing import IO

from flask_babel import gettext as _

from core.audit.services import record
from core.exports.writing import write_list
from core.extensions import db
from core.lists.columns import cell, headings
from core.lists.types import Column
from core.plugin.types import Report
from core.programs.models import ProgramYear
from core.reports.queries import LARGEST, Line, Look, Table, Value, table_of
from core.users.models import User

#: Kinds of files that a report can be taken as.
KINDS = ("xlsx", "csv")


def download(
    actor: User, program_year: ProgramYear, report: Report, look: Look, target: IO[bytes], kind: str = KINDS[0]
) -> None:
    """Write the report as one of :data:`KINDS` as it is looked at, as far as the actor may see it, its totals below.

    Raises :class:`Refused` when the report cannot be made.
    """
    table = table_of(actor, program_year, report, look)
    lines = list(table.lines)
    if table.totals:
        heads = [_("Together"), *[""] * len(table.dimensions)][: len(table.dimensions)]
        lines.append(Line(heads, None, table.totals, table.totals_before or ()))
    cells: list[list[str | int | Decimal]] = [[*line.heads, *_measures(table, line)] for line in lines]
    if table.is_cut:
        cells.append([_("Only the first %(count)s rows are shown, without totals.", count=f"{LARGEST:,}")])
    heading = [*headings(table.dimensions), *measure_headings(table)]
    write_list(target, kind, heading, cells, str(report.title))
    record(
        actor,
        "report.download",
        report.code,
        actor.org_path,
        program_year=program_year.id,
        rows=len(table.lines),
    )
    db.session.commit()


def measure_headings(table: Table) -> list[str]:
    """The headings of the measures; beside the year before, each with both years and the change."""
    plain = headings(table.measures)
    if not table.before:
        return plain
    year = table.before.year
    return [
        text
        for heading in plain
        for text in (heading, _("%(what)s, %(year)s", what=heading, year=year), _("Change of %(what)s", what=heading))
    ]


def measure_values(table: Table, values: Sequence[Value], before: Sequence[Value]) -> list[tuple[Column, Value]]:
    """Measure and value under each of :func:`measure_headings`."""
    if not table.before:
        return list(zip(table.measures, values, strict=True))
    return [
        (measure, one)
        for measure, now, then in zip(table.measures, values, before, strict=True)
        for one in (now, then, (now or 0) - (then or 0))
    ]


def _measures(table: Table, line: Line) -> list[str | int | Decimal]:
    return [cell(measure, value) for measure, value in measure_values(table, line.values, line.before)]
