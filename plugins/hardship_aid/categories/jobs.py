"""What workers do about categories, on request and every night."""

from flask_babel import lazy_gettext as _l

from core.api import JobContext, JobSpec, ProgramYear, db
from plugins.hardship_aid.categories import recheck, services
from plugins.hardship_aid.words import PROGRAM


def classify(context: JobContext) -> None:
    """Compute all files of the sponsor, as far as whoever asked for it reaches."""
    services.classify(context.actor, db.session.get_one(ProgramYear, context.program_year_id))


def remind(context: JobContext) -> None:
    """Tell unions which files are to be checked again."""
    recheck.remind(context.actor, db.session.get_one(ProgramYear, context.program_year_id))


CLASSIFY = JobSpec(
    name=services.CLASSIFY,
    title=_l("Compute the categories of files"),
    func=classify,
    queue="bulk",
    program=PROGRAM,
    schedule="30 1 * * *",
)
RECHECK = JobSpec(
    name=recheck.RECHECK.code,
    title=_l("Remind unions of files that are to be checked again"),
    func=remind,
    program=PROGRAM,
    schedule="0 2 * * *",
)
