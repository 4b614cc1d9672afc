"""The background jobs of the ledger. Each is safe to run again."""

from flask_babel import lazy_gettext as _l

from core.jobs.context import JobContext
from core.ledger import holds
from core.plugin.types import JobSpec


def expire_holds(_context: JobContext) -> None:
    """Give back what is held beyond its time."""
    holds.expire()


JOBS = [
    JobSpec(
        name="ledger.expire_holds", title=_l("Give back holds that ran out"), func=expire_holds, schedule="*/5 * * * *"
    )
]
