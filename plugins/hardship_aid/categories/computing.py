"""Writing down what the rule of a year comes to for files, in one statement however many they are."""

from sqlalchemy import ColumnElement, CursorResult, Select, and_, func, update

from core.api import ProgramYear, db
from plugins.hardship_aid.categories.rule import differs, is_open_file, nearest_lines, outcome
from plugins.hardship_aid.files.models import File


def counts_in(program_year: ProgramYear) -> ColumnElement[bool]:
    """The open files of the sponsor that no later year has computed."""
    return and_(
        File.sponsor_id == program_year.org_id,
        is_open_file(),
        func.coalesce(File.computed_year, 0) <= program_year.year,
    )


def compute(program_year: ProgramYear, chosen: ColumnElement[bool]) -> int:
    """Compute the chosen files in the caller's transaction; only what changes is written. Returns how many."""
    nearest = nearest_lines(program_year)
    computed = outcome(program_year, nearest.c.line_fen)
    change = (
        update(File)
        .where(chosen, nearest.c.org_id == File.org_id)
        .where(
            differs(
                (File.computed_year, program_year.year),
                (File.line_fen, nearest.c.line_fen),
                (File.computed, computed),
            )
        )
        .values(computed=computed, computed_year=program_year.year, line_fen=nearest.c.line_fen)
    )
    options = {"synchronize_session": False, "preserve_rowcount": True}
    result = db.session.execute(change, execution_options=options)
    assert isinstance(result, CursorResult)  # noqa: S101  # what UPDATE gives
    return result.rowcount


def compute_with(program_year: ProgramYear, ids: Select[int]) -> None:
    """Compute the files with these ids anew, as their figures were entered or changed."""
    compute(program_year, counts_in(program_year) & File.id.in_(ids))
