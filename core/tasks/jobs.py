"""What the clock asks for: reminders every morning, mails while a mail server is set, and tidying up."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from core.bulk import delete_all
from core.config import Settings
from core.extensions import db
from core.jobs.context import JobContext
from core.jobs.models import Job
from core.notices.calendar import is_working_day
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec
from core.privacy.queries import rule_of
from core.tasks import mail, reminders
from core.tasks.kinds import TaskKind
from core.tasks.models import Mail, Message
from core.tasks.services import notify
from core.users.access import today

#: Mails hold no text; whether they were sent is of interest for some weeks.
MAILS_KEPT = timedelta(days=30)
#: How far back failed jobs are looked at: longer than the clock may stand still over a holiday.
FAILURES_TOLD = timedelta(days=14)
FAILED = TaskKind(code="jobs.failed", title=_l("“%(job)s” has failed: %(reason)s"), endpoint="jobs.show")


def remind(_context: JobContext) -> None:
    """Reminders and overdue notices."""
    reminders.remind()


def daily_mail(_context: JobContext) -> None:
    """The mail of the day, on working days."""
    day = today()
    if is_working_day(day):
        mail.owe_daily(day)
        mail.deliver()


def send_mail(_context: JobContext) -> None:
    """Mails about what is new, and those that a server refused before."""
    mail.announce()
    mail.deliver()


def tell_failures(_context: JobContext) -> None:
    """Tell whoever asked for a job that it failed for good, once for each try."""
    silent = [spec.name for spec in registry_of().jobs.values() if not spec.tells]
    failed = select(Job).where(
        Job.state == "failed",
        Job.finished_at > func.now() - FAILURES_TOLD,
        Job.user_id.is_not(None),
        Job.name.not_in(silent),
    )
    for job in db.session.scalars(failed.order_by(Job.id)):
        notify(
            FAILED,
            [job.user_id or 0],
            f"job:{job.id}",
            data={"job": {"job": job.name}, "reason": job.error or ""},
            address={"job_id": job.id},
            key=f"job:{job.id}:{job.attempt}",
        )
    db.session.commit()


def tidy(_context: JobContext) -> None:
    """Remove messages that were read long ago (one that nobody has read stays), and the record of old mails."""
    delete_all(Message, Message.read_at < func.now() - timedelta(days=rule_of().message_days))
    delete_all(Mail, Mail.created_at < func.now() - MAILS_KEPT)


def jobs_for(settings: Settings) -> list[JobSpec]:
    """The jobs of an installation; those that send mails only where a server is set."""
    specs = [
        JobSpec(
            name="tasks.remind",
            title=_l("Reminders"),
            sees_all="it reminds everybody",
            func=remind,
            schedule="30 7 * * *",
        ),
        JobSpec(
            name="tasks.failures",
            title=_l("Tell of failed jobs"),
            sees_all="it tells everybody",
            func=tell_failures,
            schedule="*/10 * * * *",
        ),
        JobSpec(
            name="tasks.tidy",
            title=_l("Remove old messages"),
            sees_all="it removes the old messages of everybody",
            func=tidy,
            schedule="10 3 * * *",
        ),
    ]
    if settings.mail is not None:
        daily = JobSpec(
            name="tasks.daily_mail",
            title=_l("Daily e-mails"),
            sees_all="it writes to everybody",
            func=daily_mail,
            schedule="0 8 * * *",
        )
        each = JobSpec(
            name="tasks.mail",
            title=_l("E-mails"),
            sees_all="it writes to everybody",
            func=send_mail,
            schedule="*/15 7-20 * * *",
        )
        specs += [daily, each]
    return specs
