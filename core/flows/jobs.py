"""The background jobs of flows: a batch that is too large to wait for, and reminders of entries."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import Refused
from core.extensions import db
from core.flows import reminders
from core.flows.models import FlowBatch
from core.flows.queries import the_move
from core.flows.services import JOB, move_batch, release_failed
from core.jobs.context import JobContext
from core.notices.calendar import is_working_day
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.programs.models import ProgramYear
from core.users.access import today
from core.users.models import User


def move_entries(context: JobContext, *, batch_id: int) -> None:
    """Take the step with every entry of the batch that can still take it."""
    batch = db.session.get(FlowBatch, batch_id)
    if batch is None:
        raise Refused(_("This job failed before and its entries were let go; choose them in the list again."))
    register = registry_of().registers.get(batch.register)
    step = register.flow.transition(batch.transition) if register and register.flow else None
    if register is None or step is None:
        raise Refused(_("The plugin of this register is not loaded, or its flow has changed."))
    user = db.session.get_one(User, batch.user_id)
    program_year = db.session.get_one(ProgramYear, batch.program_year_id)
    move = the_move(user, register, program_year, step, seen=batch.seen, comment=batch.comment)
    done = move_batch(move, batch)
    context.progress(done.taken, done.taken, str(step.title))


def release(_context: JobContext) -> None:
    """Let go of the entries of batches that failed for good."""
    release_failed()


def remind(_context: JobContext) -> None:
    """Reminders, on working days."""
    day = today()
    if is_working_day(day):
        reminders.remind(day)


JOBS = [
    JobSpec(name=JOB, title=_l("Move entries of a register"), func=move_entries, queue="bulk", tells=False),
    JobSpec(
        name="flows.release",
        title=_l("Let go of entries"),
        sees_all="it lets go of entries of all unions",
        func=release,
        schedule="*/10 * * * *",
    ),
    JobSpec(
        name="flows.remind",
        title=_l("Reminders of entries"),
        sees_all="it reminds everybody",
        func=remind,
        schedule="35 7 * * *",
    ),
]
