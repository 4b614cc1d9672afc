"""Handing reports out, each download on record."""

from typing import IO

from flask_babel import gettext as _

from core.audit.services import record
from core.extensions import db
from core.lists.columns import cell, headings
from core.plugin.types import Report
from core.programs.models import ProgramYear
from core.registers.sheets import write_xlsx
from core.reports.queries import LARGEST, table_of
from core.users.models import User


def download(actor: User, program_year: ProgramYear, report: Report, target: IO[bytes]) -> None:
    """Write the report as xlsx, as far as the actor may see it, with its totals below.

    Raises :class:`Refused` when the report cannot be made.
    """
    table = table_of(actor, program_year, report)
    rows = [*table.values, table.totals] if table.totals else table.values
    cells = [[cell(column, value) for column, value in zip(report.columns, row, strict=True)] for row in rows]
    if table.totals and table.totals[0] is None:
        cells[-1][0] = _("Together")
    if table.is_cut:
        cells.append([_("Only the first %(count)s rows are shown, without totals.", count=f"{LARGEST:,}")])
    write_xlsx(target, headings(report.columns), cells, str(report.title))
    record(
        actor,
        "report.download",
        report.code,
        actor.org_path,
        program_year=program_year.id,
        rows=len(table.values),
    )
    db.session.commit()
