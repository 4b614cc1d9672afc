"""The background jobs of the ledger. Each is safe to run again."""

from flask_babel import lazy_gettext as _l

from core.config import Settings, settings_of
from core.jobs.context import JobContext
from core.ledger import holds
from core.ledger.heads import export_heads
from core.plugin.types import JobSpec
from core.users.access import today


def expire_holds(_context: JobContext) -> None:
    """Give back what is held beyond its time."""
    holds.expire()


def write_heads(_context: JobContext) -> None:
    """Add the heads of the day to their file outside."""
    settings = settings_of()
    if settings.heads_url is not None:
        export_heads(settings.heads_url, settings.data_keys, today())


def jobs_for(settings: Settings) -> list[JobSpec]:
    """The jobs of an installation; heads are exported where there is a place for them."""
    expiring = JobSpec(
        name="ledger.expire_holds",
        title=_l("Give back holds that ran out"),
        sees_all="holds of all unions run out",
        func=expire_holds,
        schedule="*/5 * * * *",
    )
    heads = JobSpec(
        name="ledger.heads",
        title=_l("Export the heads of the books"),
        sees_all="the heads are those of whole books",
        func=write_heads,
        schedule="5 0 * * *",
    )
    return [expiring, heads] if settings.heads_url is not None else [expiring]
