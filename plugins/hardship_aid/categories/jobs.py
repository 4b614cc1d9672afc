"""What workers do about categories, on request and every night."""

from flask_babel import lazy_gettext as _l

from core.api import JobContext, JobSpec, ProgramYear, db
from plugins.hardship_aid.categories import services
from plugins.hardship_aid.words import PROGRAM


def classify(context: JobContext) -> None:
    """Compute all files of the sponsor, as far as whoever asked for it reaches."""
    services.classify(context.actor, db.session.get_one(ProgramYear, context.program_year_id))


CLASSIFY = JobSpec(
    name=services.CLASSIFY,
    title=_l("Compute the categories of files"),
    func=classify,
    queue="bulk",
    program=PROGRAM,
    schedule="30 1 * * *",
)
