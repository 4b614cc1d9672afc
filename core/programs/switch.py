"""What the jobs area asks about program years, without knowing any program."""

from flask import Flask
from flask_babel import gettext as _

from core.plugin.types import JobSpec
from core.programs.queries import by_id, open_year_ids

GUARD = "zhijia_job_guard"
ENABLED_YEARS = "zhijia_enabled_years"


def why_not(spec: JobSpec, program_year_id: int | None) -> str | None:
    """Why a job must not run now, or none. A year that closed meanwhile lets its jobs end; one that is off does not."""
    if program_year_id is None:
        return _("This job belongs to a program year, and none was given.") if spec.program else None
    program_year = by_id(program_year_id)
    if program_year is None or not program_year.enabled:
        return str(_("The program is off in that year."))
    if spec.program is not None and spec.program != program_year.program:
        return str(_("The job and the program year belong to different programs."))
    return None


def init_app(app: Flask) -> None:
    """Let the job runner and the clock ask."""
    app.extensions[GUARD] = why_not
    app.extensions[ENABLED_YEARS] = open_year_ids
