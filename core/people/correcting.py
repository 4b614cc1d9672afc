"""The phone and the bank account of somebody on file, corrected: after the bank returned a payment, say."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _

from core.audit.services import Actor, record
from core.errors import NotFound, Refused, ZhijiaError
from core.extensions import db, whole
from core.org.scope import Scope
from core.people.models import CHANGEABLE, Person
from core.people.numbers import parse_bank_account, parse_phone
from core.people.queries import version_of
from core.people.secrets import keys


@dataclass(frozen=True, slots=True)
class Correction:
    """What is to stand in the file, as people type it. What is empty stays; ``no_account``, ``no_phone`` empty it.

    The number of an account and its bank are given together.
    """

    bank_account: str = ""
    bank_name: str = ""
    phone: str = ""
    no_account: bool = False
    no_phone: bool = False


def correct_person(actor: Actor, scope: Scope, person_id: int, version: str, wanted: Correction) -> None:
    """Keep another phone or account, within the ``scope`` in which the actor may edit people.

    ``version`` is that of the file as the actor saw it. Raises :class:`NotFound` for a file unknown or out of scope,
    :class:`Refused` for one that was merged or erased, or changed since, and :class:`ZhijiaError` at the wrong field.
    """
    with whole():
        person = _locked(scope, person_id)
        if version_of(person) != version:
            raise Refused(
                _("The phone or the account was changed since you opened this page; look at what stands now.")
            )
        changed = [name for name, values in _values(wanted).items() if _replace(person, name, values)]
        if not changed:
            raise ZhijiaError(_("That is what stands in the file already; enter what is to become different."))
        record(actor, "people.correct", f"person:{person.id}", person.org_path, changed=changed)
        db.session.commit()


def _locked(scope: Scope, person_id: int) -> Person:
    """The file; payments that are being written refer to the row, and need not wait."""
    person = db.session.get(Person, person_id, populate_existing=True, with_for_update={"key_share": True})
    if person is None or not scope.includes(person.org_path):
        raise NotFound(_("There is nothing here, or nothing that you may see."))
    if person.merged_into_id is not None:
        raise Refused(_("This file was merged into another one, which counts instead; correct that one."))
    if person.erased_at is not None:
        raise Refused(_("This file was erased; there is nothing to correct."))
    return person


def _values(wanted: Correction) -> dict[str, tuple[Any, ...]]:
    """Name of what changes -> values of its columns (see :data:`CHANGEABLE`)."""
    bank_name, values = wanted.bank_name.strip(), dict[str, tuple[Any, ...]]()
    if wanted.no_account and (wanted.bank_account or bank_name):
        raise ZhijiaError(_("Enter an account, or say that there is none; not both."), field="bank_account")
    if wanted.no_phone and wanted.phone:
        raise ZhijiaError(_("Enter a phone, or say that there is none; not both."), field="phone")
    if bank_name and not wanted.bank_account:
        raise ZhijiaError(_("Enter the number of the account as well."), field="bank_account")
    if wanted.bank_account:
        sealed = keys().seal("bank_account", parse_bank_account(wanted.bank_account))
        if not bank_name:
            raise ZhijiaError(_("Say at which bank the account is."), field="bank_name")
        values["bank_account"] = *sealed, bank_name
    if wanted.phone:
        values["phone"] = keys().seal("phone", parse_phone(wanted.phone))
    if wanted.no_account:
        values["bank_account"] = (None,) * 4
    if wanted.no_phone:
        values["phone"] = (None,) * 3
    return values


def _replace(person: Person, name: str, values: tuple[Any, ...]) -> bool:
    """Write the columns, unless it is the same number; whether it did. Not even its end goes into the audit trail,
    which keeps it when the person is erased.
    """
    columns = CHANGEABLE[name]
    former = tuple(getattr(person, column) for column in columns)
    if former[1:] == values[1:]:
        return False
    for column, value in zip(columns, values, strict=True):
        setattr(person, column, value)
    return True
