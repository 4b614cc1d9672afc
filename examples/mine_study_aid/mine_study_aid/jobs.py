"""What a worker does."""

from core.api import JobContext, ProgramYear, db

from . import services


def follow_people(context: JobContext) -> None:
    """Every night in every open year: a line follows its person to another union."""
    program_year = db.session.get_one(ProgramYear, context.program_year_id)
    services.follow_people(context.actor, program_year)
