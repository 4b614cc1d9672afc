"""Handing the table of a year's end out, which the audit trail keeps."""

from core.api import ProgramYear, User, db, record
from plugins.four_seasons.overview.queries import Cells, table_of


def hand_out(actor: User, program_year: ProgramYear) -> list[Cells]:
    """The table for a file."""
    table = table_of(actor, program_year)
    record(
        actor, "report.download", "four_seasons.year_end", actor.org_path, program_year=program_year.id, rows=len(table)
    )
    db.session.commit()
    return table
