"""What is kept about a person, everywhere: shown to those who may see it all, or made unreadable."""

import secrets
from collections.abc import Sequence
from datetime import date

from flask_babel import gettext as _
from sqlalchemy import func, select

from core.audit.services import Actor, look, record
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db
from core.org.scope import Scope
from core.people.models import Person
from core.people.numbers import mask_account, mask_id, mask_phone, refuse_numbers
from core.people.queries import files_of
from core.people.secrets import keys
from core.plugin import hooks
from core.plugin.types import PersonalDataAction, PersonalRecord
from core.wall import beyond_scope
from core.web.filters import local_day

#: What lists and pages show instead of a name.
ERASED_NAME = "已删除"
#: The same for every erased file, so that they tell nothing.
ERASED_BIRTH, ERASED_GENDER = date(1900, 1, 1), "M"
UNKNOWN = "—"


def show_file(actor: Actor, scope: Scope, person_id: int) -> None:
    """Put on record that the page of a person's file was opened. Raises :class:`NotFound` out of ``scope``."""
    path = db.session.scalar(select(Person.org_path).where(Person.id == person_id, scope.covers(Person.org_path)))
    if path is None:
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    look(actor, "people.file_shown", f"person:{person_id}", path)


@beyond_scope("people.data")
def show_data(actor: Actor, scope: Scope, person_id: int) -> list[PersonalRecord]:
    """Everything that is kept about a person: the file and those merged into it, then what each area and plugin keeps.

    Numbers are masked; that it was looked at goes on record. Raises :class:`NotFound` for a file that is unknown or out
    of ``scope``, :class:`Refused` for a merged one, and when a plugin cannot answer: a list with gaps would mislead.
    """
    files = _files(scope, person_id, lock=False)
    records = [_own_record(file) for file in files] + _asked(files, "show")
    record(actor, "people.data_shown", f"person:{person_id}", files[0].org_path)
    db.session.commit()
    return records


@beyond_scope("people.erase")
def erase(actor: Actor, scope: Scope, person_id: int, reason: str) -> list[PersonalRecord]:
    """Make everything that is kept about a person unreadable, for good; what was erased, and what stays.

    The file stays as a row without a name, a number or a day of birth, and nothing leads from the number to it any
    more: the same person would come on file anew. What the books need stays as it was posted. ``reason`` goes into the
    audit trail. Raises :class:`NotFound` as :func:`show_data`, :class:`Refused` for a file that was merged or erased,
    and with the sentence of whoever objects (an unfinished run, a plugin).
    """
    if not reason.strip():
        raise ZhijiaError(_("Say why the person is erased."), field="reason")
    refuse_numbers(reason, "reason")
    files = _files(scope, person_id, lock=True)
    if files[0].erased_at is not None:
        raise Refused(_("This file was erased before."))
    records = _asked(files, "erase")
    for file in files:
        _blank(file)
    kept = files[0]
    record(actor, "people.erase", f"person:{kept.id}", kept.org_path, reason=reason.strip(), files=len(files))
    db.session.commit()
    return records


def _files(scope: Scope, person_id: int, *, lock: bool) -> Sequence[Person]:
    files = files_of(person_id, lock=lock)
    if not files or not scope.includes(files[0].org_path):
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    if files[0].merged_into_id is not None:
        raise Refused(_("This file was merged into file %(id)s; ask for that one.", id=files[0].merged_into_id))
    return files


def _asked(files: Sequence[Person], action: PersonalDataAction) -> list[PersonalRecord]:
    return [one for file in files for one in hooks.personal_data(file, action)]


def _own_record(file: Person) -> PersonalRecord:
    title = _("Personal data") if file.merged_into_id is None else _("Merged file")
    if file.erased_at is not None:
        return PersonalRecord(title=title, values={_("Erased on"): local_day(file.erased_at)})
    values = {
        _("Name"): file.name,
        _("Gender"): _("Male") if file.gender == "M" else _("Female"),
        _("Date of birth"): file.born_on.isoformat(),
        _("Identity number"): mask_id(file.id_number_tail),
        _("Phone"): mask_phone(file.phone_tail) if file.phone_tail else UNKNOWN,
        _("Bank"): file.bank_name or UNKNOWN,
        _("Bank account"): mask_account(file.bank_account_tail) if file.bank_account_tail else UNKNOWN,
    }
    return PersonalRecord(title=title, values=values)


def _blank(file: Person) -> None:
    nothing = keys().seal("id_number", "")
    file.name, file.pinyin, file.initials = ERASED_NAME, "", ""
    file.gender, file.born_on = ERASED_GENDER, ERASED_BIRTH
    file.id_number, file.id_number_tail = nothing.ciphertext, nothing.tail
    file.id_number_digest = secrets.token_bytes(32)  # unique, and the digest of no number
    file.phone = file.phone_digest = file.phone_tail = None
    file.bank_account = file.bank_account_digest = file.bank_account_tail = file.bank_name = None
    file.active, file.erased_at = False, func.now()
