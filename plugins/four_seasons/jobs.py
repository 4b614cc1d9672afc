"""The background jobs of the campaigns."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.api import JobContext, JobSpec, Refused, User, scope_of
from plugins.four_seasons import importing, queries
from plugins.four_seasons.schemes import PROGRAM
from plugins.four_seasons.services import EDIT


def merge_import(context: JobContext, *, import_id: int) -> None:
    """Put the good rows of an uploaded list on the hardship list, as the user who asked for it may."""
    actor = context.actor
    if not isinstance(actor, User):
        raise Refused(_("A list is merged only for a user."))
    scope = scope_of(actor, EDIT, PROGRAM)
    upload = queries.find_import(context.program_year_id or 0, import_id, scope)
    importing.merge(actor, upload, scope, context.progress)


JOBS = [
    JobSpec(
        name="four_seasons.merge_import",
        title=_l("Merge a hardship list"),
        func=merge_import,
        queue="bulk",
        program=PROGRAM,
    )
]
