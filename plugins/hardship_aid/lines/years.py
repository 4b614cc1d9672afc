"""What becomes of the lines when a year is copied."""

from flask_babel import lazy_gettext as _l
from sqlalchemy import literal, select
from sqlalchemy.dialects.postgresql import insert

from core.api import Copied, Org, ProgramYear, db
from plugins.hardship_aid.lines.models import SubsistenceLine


def copy_lines(source: ProgramYear, target: ProgramYear) -> list[Copied]:
    """Take over the lines that unions have, until they set those of the new year."""
    line = SubsistenceLine
    former = (
        select(literal(target.id), line.org_id, line.org_path, line.monthly_fen)
        .join(Org, Org.id == line.org_id)
        .where(line.program_year_id == source.id, Org.active)
    )
    columns = ["program_year_id", "org_id", "org_path", "monthly_fen"]
    taken = insert(line).from_select(columns, former).on_conflict_do_nothing().returning(line.id)
    return [Copied(title=_l("Subsistence lines of unions"), rows=len(db.session.scalars(taken).all()))]
