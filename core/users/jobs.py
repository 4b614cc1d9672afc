"""What the clock asks for about users: dead sessions go, unused accounts are closed, roles that end are told of."""

from datetime import UTC, datetime

from flask_babel import lazy_gettext as _l

from core.bulk import delete_all
from core.jobs.context import JobContext
from core.plugin.types import JobSpec
from core.users.access import today
from core.users.leaving import close_dormant, tell_of_ending_roles
from core.users.models import Session
from core.users.sessions import KEPT


def tidy(_context: JobContext) -> None:
    """Remove sessions that nobody has used for a month; they ran out long before."""
    delete_all(Session, Session.seen_at < datetime.now(UTC) - KEPT)


def dormant(_context: JobContext) -> None:
    """Close the accounts that nobody has used for long."""
    close_dormant()


def ending_roles(_context: JobContext) -> None:
    """Tell holders and administrators of roles that end soon."""
    tell_of_ending_roles(today())


JOBS = [
    JobSpec(
        name="users.tidy",
        title=_l("Remove old sessions"),
        func=tidy,
        schedule="15 3 * * *",
        sees_all="it looks at the accounts of everybody",
    ),
    JobSpec(
        name="users.dormant",
        title=_l("Close unused accounts"),
        func=dormant,
        schedule="25 3 * * *",
        sees_all="it looks at the accounts of everybody",
    ),
    JobSpec(
        name="users.roles",
        title=_l("Tell of roles that end"),
        func=ending_roles,
        schedule="35 7 * * *",
        sees_all="it looks at the accounts of everybody",
    ),
]
