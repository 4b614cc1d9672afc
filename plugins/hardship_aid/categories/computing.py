"""Writing down what the rule of a year comes to for files, in one statement however many they are."""

from sqlalchemy import ColumnElement, CursorResult, Select, and_, func, select, update

from core.api import ProgramYear, db, state_of
from plugins.hardship_aid.categories.rule import differs, is_open_file, nearest_lines, outcome
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import PROGRAM


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


def compute_anew(sponsor_id: int, ids: Select[int]) -> None:
    """Compute the files with these ids by the latest open year: their figures or their union have changed, be it on
    the pages of an earlier one.
    """
    years = select(ProgramYear).where(ProgramYear.program == PROGRAM, ProgramYear.org_id == sponsor_id)
    latest_first = db.session.scalars(years.order_by(ProgramYear.year.desc()))
    latest = next((year for year in latest_first if state_of(year) == "open"), None)
    if latest is not None:
        compute(latest, counts_in(latest) & File.id.in_(ids))
