"""Whose row of a register it is: a union by its code, a person by their identity number, taken on file if need be."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import select

from core.audit.services import Actor
from core.errors import NotFound, Refused
from core.extensions import db
from core.org.models import Org
from core.org.scope import Scope
from core.people.models import Person
from core.people.numbers import parse_bank_account, parse_id_number, parse_phone
from core.people.queries import person_id_of
from core.people.secrets import digest
from core.people.services import PersonRow, take_on_file
from core.programs.models import ProgramYear
from core.registers import queries
from core.wall import beyond_scope


def org_of(program_year: ProgramYear, code: str, scope: Scope) -> Org:
    """The active union of this sponsor with this code. Raises :class:`NotFound`, also for one outside the scope."""
    org = queries.org_for(program_year, code, scope)
    if org is None:
        sentence = _("This sponsor has no union with the code “%(code)s” that you answer for.", code=code)
        raise NotFound(sentence, field="org_code")
    return org


def person_of(program_year: ProgramYear, typed: str, scope: Scope) -> Person:
    """Who is on file with this number in a union of this sponsor. Raises :class:`ZhijiaError` at the field."""
    person = queries.person_for(program_year, parse_id_number(typed).number, scope)
    if person is None:
        sentence = _("Nobody with this identity number is on file in a union of this sponsor that you answer for.")
        raise NotFound(sentence, field="id_number")
    return person


def person_on_file(actor: Actor, program_year: ProgramYear, values: Mapping[str, Any], scope: Scope) -> Person:
    """Who is on file with this number, or is now, under the union that is named; somebody known stays where they are.

    In the caller's transaction, so that nobody comes on file by an entry that is refused after all.

    Raises :class:`ZhijiaError` at the field that is wrong: a number, the union, another name, another union's person.
    """
    row = PersonRow(
        org_code=values["org_code"],
        name=values["name"],
        id_number=parse_id_number(values["id_number"]).number,
        phone=parse_phone(values["phone"]) if values.get("phone") else None,
        bank_account=parse_bank_account(values["bank_account"]) if values.get("bank_account") else None,
        bank_name=values.get("bank_name") or None,
    )
    org_of(program_year, row.org_code, scope)
    person = _find(row.id_number)
    if person is None:
        take_on_file(actor, [row], scope)
        person = _find(row.id_number)
        assert person is not None  # noqa: S101  # it has just been registered
    _refuse_another(person, row.name, program_year, scope)
    return person


@beyond_scope("people.look_up")
def _find(id_number: str) -> Person | None:
    return db.session.scalar(select(Person).where(Person.id == person_id_of(digest("id_number", id_number))))


def _refuse_another(person: Person, name: str, program_year: ProgramYear, scope: Scope) -> None:
    if not scope.includes(person.org_path) or not queries.is_of_sponsor(program_year, person.org_path):
        raise Refused(_("This worker is on file at another union; ask for a transfer first."), field="org_code")
    if not person.active:
        raise Refused(_("This worker is no longer on file."), field="id_number")
    if person.name != name:
        raise Refused(_("This identity number is on file under another name."), field="name")
