"""What the clock asks for: reminders every morning, mails while a mail server is set, and tidying up."""

from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import func

from core.bulk import delete_all
from core.config import Settings
from core.jobs.context import JobContext
from core.notices.calendar import is_working_day
from core.plugin.types import JobSpec
from core.tasks import mail, reminders
from core.tasks.models import Mail, Message
from core.users.access import today

#: How long a message stays in the inbox after it was read; one that nobody has read stays.
MESSAGES_KEPT = timedelta(days=90)
#: Mails hold no text; whether they were sent is of interest for some weeks.
MAILS_KEPT = timedelta(days=30)


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


def tidy(_context: JobContext) -> None:
    """Remove messages that were read long ago, and the record of old mails."""
    delete_all(Message, Message.read_at < func.now() - MESSAGES_KEPT)
    delete_all(Mail, Mail.created_at < func.now() - MAILS_KEPT)


def jobs_for(settings: Settings) -> list[JobSpec]:
    """The jobs of an installation; those that send mails only where a server is set."""
    specs = [
        JobSpec(name="tasks.remind", title=_l("Reminders"), func=remind, schedule="30 7 * * *"),
        JobSpec(name="tasks.tidy", title=_l("Remove old messages"), func=tidy, schedule="10 3 * * *"),
    ]
    if settings.mail is not None:
        daily = JobSpec(name="tasks.daily_mail", title=_l("Daily e-mails"), func=daily_mail, schedule="0 8 * * *")
        each = JobSpec(name="tasks.mail", title=_l("E-mails"), func=send_mail, schedule="*/15 7-20 * * *")
        specs += [daily, each]
    return specs
