"""What the clock asks for: reminders every morning, and mails while a mail server is set."""

from flask_babel import lazy_gettext as _l

from core.config import Settings
from core.jobs.context import JobContext
from core.notices.calendar import is_working_day
from core.plugin.types import JobSpec
from core.tasks import mail, reminders
from core.users.access import today


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


def jobs_for(settings: Settings) -> list[JobSpec]:
    """The jobs of an installation; those that send mails only where a server is set."""
    specs = [JobSpec(name="tasks.remind", title=_l("Reminders"), func=remind, schedule="30 7 * * *")]
    if settings.mail is not None:
        daily = JobSpec(name="tasks.daily_mail", title=_l("Daily e-mails"), func=daily_mail, schedule="0 8 * * *")
        each = JobSpec(name="tasks.mail", title=_l("E-mails"), func=send_mail, schedule="*/15 7-20 * * *")
        specs += [daily, each]
    return specs
