"""Yearly re-check (复核): a task for each union with files on file that nobody has looked at for too long."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, exists, func, literal, select
from sqlalchemy.dialects.postgresql import JSONB

from core.api import Actor, Org, ProgramYear, Refused, TaskKind, db, finish_tasks, open_tasks, record, state_of
from plugins.hardship_aid.categories.rule import is_stale
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import EDIT

RECHECK = TaskKind(
    code="hardship_aid.recheck",
    title=_l("Check files of workers in hardship again"),
    endpoint="hardship_aid.categories",
)


def remind(actor: Actor, program_year: ProgramYear) -> tuple[int, int]:
    """Open a task at each union with files to check again, and finish those of unions that have none left.

    Returns how many of either; may run again. Raises :class:`Refused` in a year that is not open.
    """
    if state_of(program_year) != "open":
        raise Refused(_("This year is not open."))
    finished = finish_tasks(actor, _unions(program_year, has_stale=False), [RECHECK])
    rows = _unions(program_year, has_stale=True).add_columns(
        Org.id.label("org_id"),
        Org.path.label("org_path"),
        literal(EDIT).label("permission"),
        literal(program_year.id).label("program_year_id"),
        literal({"show": "stale"}, JSONB).label("address"),
    )
    opened = open_tasks(RECHECK, rows)
    if opened or finished:
        subject = f"program_year:{program_year.id}"
        record(actor, "hardship.recheck", subject, program_year.org_path, opened=opened, finished=finished)
    db.session.commit()
    return opened, finished


def _unions(program_year: ProgramYear, *, has_stale: bool) -> Select[str]:
    """The subjects of the tasks of unions that have files to check again, or of all others."""
    mine = (File.org_id == Org.id) & (File.sponsor_id == program_year.org_id)
    stale = exists().where(mine, is_stale(program_year))
    subject = func.concat(f"{RECHECK.code}:{program_year.id}:", Org.id).label("subject")
    return select(subject).where(stale if has_stale else ~stale)
