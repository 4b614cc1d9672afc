"""The background jobs of exports. Each is safe to run again."""

from flask_babel import lazy_gettext as _l

from core.exports import queries, services
from core.files.jobs import remove_strays
from core.jobs.context import JobContext
from core.plugin.types import JobSpec


def make(context: JobContext, *, export_id: int) -> None:
    """Write the file of an export."""
    services.make(export_id, context.progress)


def tidy(_context: JobContext) -> None:
    """Remove what was kept long enough, and the contents that a killed worker left."""
    services.remove_old()
    remove_strays(services.store(), queries.named_keys)


JOBS = [
    JobSpec(name="exports.make", title=_l("Export a list"), func=make, queue="bulk"),
    JobSpec(
        name="exports.tidy",
        title=_l("Remove old exports"),
        sees_all="it removes the old exports of everybody",
        func=tidy,
        queue="bulk",
        schedule="0 4 * * *",
    ),
]
