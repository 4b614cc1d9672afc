"""Reports of files: by union and category, with the kind of worker, the cause and the state."""

from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select

from core.api import Column, Report, ReportContext
from plugins.hardship_aid.files.flow import STATES
from plugins.hardship_aid.files.models import File
from plugins.hardship_aid.words import CAUSES, OUTCOMES, PROGRAM, VIEW, WORKERS

#: What a file that has not been computed is counted under.
UNKNOWN = "unknown"


def files(context: ReportContext) -> Select[*tuple[Any, ...]]:
    """Files as they are now, in groups: people by what was decided, else computed."""
    category = func.coalesce(File.decided, File.computed, UNKNOWN)
    groups = (File.org_path, category, File.worker, File.cause, File.state)
    return (
        select(
            File.org_path,
            category.label("category"),
            File.worker,
            File.cause,
            File.state,
            func.count().label("people"),
        )
        .where(File.sponsor_id == context.program_year.org_id, context.scope.covers(File.org_path))
        .group_by(*groups)
    )


#: Files stay from year to year and are counted as they are now, so that no year stands beside another.
CATEGORIES = Report(
    code="hardship_aid.categories",
    program=PROGRAM,
    title=_l("Workers in hardship by category"),
    permission=VIEW,
    columns=(
        Column(
            name="category",
            title=_l("Category of hardship"),
            kind="choice",
            choices={**OUTCOMES, UNKNOWN: _l("Not computed yet")},
        ),
        Column(name="worker", title=_l("Kind of worker"), kind="choice", choices=WORKERS),
        Column(name="cause", title=_l("Cause of hardship"), kind="choice", choices=CAUSES),
        Column(name="state", title=_l("State of the file"), kind="choice", choices=STATES),
        Column(name="people", title=_l("Number of people"), kind="number"),
    ),
    select=files,
    yearly=False,
)
