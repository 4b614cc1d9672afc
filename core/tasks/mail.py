"""E-mails that say how much waits, with a link and nothing else: no name, no title, nothing about anybody.

:func:`announce` writes which users are owed one, :func:`owe_daily` those who want one a day, :func:`deliver` sends.
"""

import smtplib
import ssl
from collections.abc import Iterable
from contextlib import suppress
from datetime import date
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Any

import structlog
from flask import current_app, url_for
from flask.ctx import RequestContext
from flask_babel import force_locale
from flask_babel import gettext as _
from sqlalchemy import delete, func, literal, select, union, update
from sqlalchemy.dialects.postgresql import insert

from core.config import MailSettings, settings_of
from core.extensions import db
from core.tasks.models import Mail, Message, Task
from core.tasks.queries import count_unread, doers, owed_mails, still_owed
from core.users.models import User
from core.web.filters import capped
from core.web.home import waiting

#: How often one mail is tried before it is given up; after a day it is given up as well.
ATTEMPTS = 5
#: Seconds that the server has for each answer.
PATIENCE = 20
log = structlog.get_logger()


def announce() -> None:
    """Owe a mail to everybody who wants one for each new thing, once for all that is new by now.

    Whoever is owed one already gets no second one: it says how much waits when it is sent.
    """
    tasks = (
        update(Task)
        .where(Task.announced_at.is_(None), Task.done_at.is_(None))
        .values(announced_at=func.now())
        .returning(Task.id, Task.org_id, Task.permission, Task.user_id, Task.not_user_id, Task.program_year_id)
        .cte("new_tasks")
    )
    messages = (
        update(Message)
        .where(Message.announced_at.is_(None))
        .values(announced_at=func.now())
        .returning(Message.user_id)
        .cte("new_messages")
    )
    told = doers(tasks).subquery()
    everybody = union(select(told.c.user_id), select(messages.c.user_id)).subquery()
    owed = select(User.id).where(
        User.id.in_(select(everybody.c.user_id)),
        User.active,
        User.email.is_not(None),
        User.mailing == "each",
        User.id.not_in(select(Mail.user_id).where(Mail.sent_at.is_(None), still_owed(ATTEMPTS))),
    )
    db.session.execute(insert(Mail).from_select(["user_id"], owed))
    db.session.commit()


def owe_daily(day: date) -> None:
    """Owe the mail of the day to everybody who wants one a day, once a day; for whom nothing waits then, none goes."""
    wanted = select(User.id, literal(day)).where(User.active, User.email.is_not(None), User.mailing == "daily")
    db.session.execute(insert(Mail).from_select(["user_id", "day"], wanted).on_conflict_do_nothing())
    db.session.commit()


def deliver() -> int:
    """Send what is owed, and return how many were sent; a server that refuses is tried again at the next delivery."""
    settings = settings_of().mail
    owed = owed_mails(ATTEMPTS) if settings else []
    if settings is None or not owed:
        return 0
    try:
        server = _connect(settings)
    except (OSError, smtplib.SMTPException) as error:  # not the fault of any one mail, so no attempt is counted
        log.warning("the mail server cannot be used", host=settings.host, reason=str(error))
        return 0
    try:
        return _send_all(server, settings, owed)
    finally:
        with suppress(OSError, smtplib.SMTPException):
            server.quit()


def _send_all(server: smtplib.SMTP, settings: MailSettings, owed: Iterable[int]) -> int:
    sent = 0
    for mail_id in owed:
        try:
            sent += _send_one(server, settings, mail_id)
        except (OSError, smtplib.SMTPServerDisconnected) as error:
            log.warning("the mail server went away", host=settings.host, reason=str(error))
            break
    return sent


def _send_one(server: smtplib.SMTP, settings: MailSettings, mail_id: int) -> bool:
    """Claim the mail, so that no other worker and no later run sends it again, then hand it over."""
    claim = update(Mail).where(Mail.id == mail_id, Mail.sent_at.is_(None))
    claim = claim.values(sent_at=func.now(), attempts=Mail.attempts + 1, error=None)
    user_id = db.session.scalars(claim.returning(Mail.user_id)).one_or_none()
    db.session.commit()
    if user_id is None:
        return False
    user = db.session.get_one(User, user_id)
    message = _write(user, settings)
    if message is None:  # done or read meanwhile, or no mail is wanted any more
        db.session.execute(delete(Mail).where(Mail.id == mail_id))
        db.session.commit()
        return False
    try:
        server.send_message(message)
    except smtplib.SMTPResponseException as error:
        _give_back(mail_id, f"{error.smtp_code}")
    except smtplib.SMTPRecipientsRefused as error:
        _give_back(mail_id, ", ".join(str(code) for code, _text in error.recipients.values()))
    else:
        return True
    return False


def _give_back(mail_id: int, code: str) -> None:
    """The server refused the mail for certain, so it was not sent. Its words may name the address; its code cannot."""
    db.session.execute(update(Mail).where(Mail.id == mail_id).values(sent_at=None, error=code))
    db.session.commit()
    log.warning("a mail was refused", mail=mail_id, code=code)


def _counts(user: User) -> tuple[int, int, int]:
    """How much waits for the user, how much of it is overdue, and how many messages are not read."""
    with _at_site():  # what waits comes with its addresses
        items = waiting(user)
    return sum(item.count for item in items), sum(item.overdue for item in items), count_unread(user)


def _at_site() -> RequestContext:
    return current_app.test_request_context(base_url=settings_of().site_url)


def _write(user: User, settings: MailSettings) -> EmailMessage | None:
    tasks, overdue, messages = _counts(user)
    if not user.active or not user.email or user.mailing == "none" or not (tasks or messages):
        return None
    with _at_site(), force_locale(user.locale):
        text = _text(tasks, overdue, messages, url_for("tasks.index", _external=True))
        subject = _("Zhijia: something waits for you")
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = subject, settings.sender, user.email
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain=settings.sender.rpartition("@")[2].rstrip(">"))
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
    return mail


def _text(tasks: int, overdue: int, messages: int, address: str) -> str:
    lines = [
        _("Tasks that wait for you: %(count)s (overdue: %(overdue)s)", count=capped(tasks), overdue=capped(overdue)),
        _("Unread messages: %(count)s", count=capped(messages)),
        "",
        address,
        "",
        _("How often such mails come is chosen on the page “My account”."),
    ]
    return "\n".join(lines) + "\n"


def _connect(settings: MailSettings) -> smtplib.SMTP:
    """A connection that is encrypted and checked, unless the server is on this machine; logged in if that is set."""
    context = ssl.create_default_context()
    if settings.security == "tls":
        server: Any = smtplib.SMTP_SSL(settings.host, settings.port, timeout=PATIENCE, context=context)
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=PATIENCE)
    try:
        if settings.security == "starttls":
            server.starttls(context=context)
        if settings.user:
            server.login(settings.user, settings.password)
    except BaseException:
        server.close()
        raise
    connected: smtplib.SMTP = server
    return connected
