"""What a household comes to by the rule of a year (domain.md, R1), as one SQL expression, and which line counts where.

Whole numbers only: both sides are multiplied, nothing is divided. They are taken as ``numeric``, as the table bounds no
amount from above: a line of 10^15 fen times 12 months, 30 heads and 1000 percent is more than a ``bigint`` holds, and
one absurd file must not stop the classification of all the others.
"""

from typing import Any

from sqlalchemy import ColumnElement, Numeric, Subquery, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import InstrumentedAttribute

from core.api import Org, ProgramYear, lies_below, today
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.lines.models import SubsistenceLine
from plugins.hardship_aid.words import NONE

MONTHS = 12
#: States of files that are closed: nothing is computed or decided about them any more.
ON_FILE, CLOSED = "on_file", ("out", "refused", "removed")
Whole = ColumnElement[int] | InstrumentedAttribute[int]


def outcome(program_year: ProgramYear, line_fen: Whole) -> ColumnElement[str]:
    """One of ``words.OUTCOMES`` for a file, by the settings of the year and the line that counts for it."""
    settings = program_year.settings
    deep, relative = (is_below(line_fen, settings[name]) for name in ("deep_percent", "relative_percent"))
    return case(
        (File.barrier != "none", NONE),
        (deep, "deep"),
        (relative, "relative"),
        (cast(File.loss_fen, Numeric) * 100 > cast(File.income_fen, Numeric) * settings["loss_percent"], "accidental"),
        else_=NONE,
    )


def is_below(line_fen: Whole, percent: int) -> ColumnElement[bool]:
    """That what is left a head and month lies below so many percent of the line; what lies on it does not."""
    left = cast(File.income_fen - File.rigid_fen, Numeric) * 100
    return left < cast(line_fen, Numeric) * (MONTHS * percent) * File.household_size


def nearest_lines(program_year: ProgramYear) -> Subquery:
    """``org_id, line_fen``: each union with the line of the nearest one at or above it, else that of the settings.

    By region: an enterprise follows the county that it lies in, not the industry union that it belongs to as well.
    """
    line = SubsistenceLine
    below = lies_below(Org.path, line.org_path)
    own = (
        select(Org.id, line.monthly_fen)
        .join(line, below)
        .where(line.program_year_id == program_year.id)
        .ext(distinct_on(Org.id))
        .order_by(Org.id, func.length(line.org_path).desc())
        .subquery()
    )
    line_fen = func.coalesce(own.c.monthly_fen, program_year.settings["line"]).label("line_fen")
    return select(Org.id.label("org_id"), line_fen).outerjoin(own, own.c.id == Org.id).subquery()


def is_stale(program_year: ProgramYear) -> ColumnElement[bool]:
    """That a household on file was last looked at more than so many months ago: a year to the day is not more."""
    months = func.make_interval(0, program_year.settings["recheck_months"])
    last = func.coalesce(File.checked_on, File.applied_on)
    return (File.state == ON_FILE) & (last < literal(today()) - months)


def is_open_file() -> ColumnElement[bool]:
    """That the file is not closed."""
    return File.state.not_in(CLOSED)


def differs(*pairs: tuple[Any, Any]) -> ColumnElement[bool]:
    """That some column would change, an empty one too."""
    return or_(*(column.is_distinct_from(value) for column, value in pairs))
