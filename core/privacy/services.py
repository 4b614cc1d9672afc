"""Showing personal numbers in full: with a purpose, on record, and watched."""

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func

from core.audit.services import record
from core.errors import NotFound
from core.extensions import db
from core.org.scope import Scope
from core.people.models import Person
from core.people.personal import UNKNOWN
from core.people.purposes import Purpose
from core.people.secrets import decrypt
from core.privacy.queries import SHOWN, count_shown_today, rule_of
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.access import today, users_holding
from core.users.models import Grant, User

MANY_SHOWN = TaskKind(
    code="privacy.many_shown",
    title=_l("%(user)s looked at the full numbers of more than %(count)s people on %(day)s"),
    endpoint="audit.index",
)


def show_numbers(actor: User, scope: Scope, person_id: int, purpose: Purpose) -> list[tuple[str, str]]:
    """Label and number, in full: identity number, phone and bank account. That it was looked at, and for what, goes on
    record; when it is too many on a day, the auditors of the actor's union are told.

    ``scope`` is where the actor may see them. Raises :class:`NotFound` for a file unknown, out of scope or erased,
    :class:`ZhijiaError` at the field for a purpose that says nothing.
    """
    file = db.session.get(Person, person_id)
    if file is None or file.erased_at is not None or not scope.includes(file.org_path):
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    record(actor, SHOWN, f"person:{person_id}", file.org_path, **purpose.said())
    numbers = [
        (_("Identity number"), decrypt("id_number", file.id_number)),
        (_("Phone"), decrypt("phone", file.phone) if file.phone else UNKNOWN),
        (_("Bank account"), decrypt("bank_account", file.bank_account) if file.bank_account else UNKNOWN),
    ]
    _tell_auditors(actor)
    db.session.commit()
    return numbers


def _tell_auditors(actor: User) -> None:
    """Once a day, when it has become too many."""
    most = rule_of().shown_a_day
    if count_shown_today(actor.id) <= most:
        return
    auditors = users_holding("audit.view", None).where(
        func.starts_with(actor.org_path, Grant.org_path), Grant.user_id != actor.id
    )
    day = today().isoformat()
    notify(
        MANY_SHOWN,
        auditors,
        f"user:{actor.id}",
        data={"user": actor.username, "count": most, "day": day},
        address={"f-code": SHOWN},
        key=f"{MANY_SHOWN.code}:{actor.id}:{day}",
    )
