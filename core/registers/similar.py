"""Entries that could be the same as one that is about to be added, before it is added."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, Select, cast, literal, select, union

from core.config import settings_of
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.people.models import Person
from core.people.numbers import mask_id, parse_bank_account, parse_phone
from core.people.secrets import digest
from core.pinyin import spell_name
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.queries import belongs
from core.users.access import scope_of
from core.users.models import User
from core.wall import beyond_scope

#: More of them tell a reader nothing.
MOST_SHOWN = 20


@dataclass(frozen=True, slots=True)
class Alike:
    """An entry as it is shown to be compared: its union's short name, and whose it is, the number masked."""

    id: int
    org: str
    name: str = ""
    id_number: str = ""


class Similar(Refused):
    """There are entries that could be the same. ``lines`` are those that the user may see, the first of them.

    ``elsewhere`` is the number of those at other unions, of which the user is told no more. ``token`` stands for these
    entries and nothing else: who sends it back has been shown them, and says that none of them is meant.
    """

    def __init__(self, lines: Sequence[Alike], elsewhere: int, token: str) -> None:
        super().__init__(_("There are entries that could be the same; nothing was saved yet."))
        self.lines, self.elsewhere, self.token = lines, elsewhere, token


@beyond_scope("registers.similar")
def refuse_similar(
    user: User,
    register: Register,
    program_year: ProgramYear,
    values: Mapping[str, Any],
    held: Mapping[str, Any],
    token: str,
) -> None:
    """Raise :class:`Similar` where the register knows of any, unless ``token`` says that the user has looked at them.

    ``values`` are those of the form, ``held`` the columns that the row is to hold. In the caller's transaction, in
    which whoever the entry is about is on file already.
    """
    if register.similar is None:
        return
    model, scope = register.model, scope_of(user, register.view_permission, program_year.program)
    alike = union(*similar_to(register, program_year, _typed(register, values, held)))
    found = db.session.execute(select(model.id, model.org_path).where(model.id.in_(alike)).order_by(model.id)).all()
    here = [row.id for row in found if scope.includes(row.org_path)]
    told = _token(register, values, [row.id for row in found])
    if found and not hmac.compare_digest(told, token):
        raise Similar(shown_entries(register, here[:MOST_SHOWN]), len(found) - len(here), told)


def similar_to(
    register: Register, program_year: ProgramYear, row: Mapping[str, ColumnElement[Any]]
) -> list[Select[int]]:
    """The ids of entries of the year, or of the sponsor, that could be the same as ``row``, one ``SELECT`` a way."""
    assert register.similar is not None  # noqa: S101  # whoever calls this has asked
    return [one.where(*belongs(register, program_year)) for one in register.similar(program_year, row)]


def _typed(register: Register, values: Mapping[str, Any], held: Mapping[str, Any]) -> dict[str, ColumnElement[Any]]:
    """The row of a form as an import has its rows (core/imports/alike.py)."""
    table = register.model.__table__
    row = {name: _as(value, table.c[name].type) for name, value in held.items() if name in table.c}
    if not register.of_people:
        return row
    person, mine = db.session.get_one(Person, held["person_id"]), Person.__table__.c
    name = str(values.get("name") or "") if register.names_person else ""
    typed = values if register.takes_on_file else {}
    phone, account = typed.get("phone"), typed.get("bank_account")
    told = {
        "name": name or person.name,
        "pinyin": spell_name(name).pinyin if name else person.pinyin,
        "born_on": person.born_on,
        "phone_digest": digest("phone", parse_phone(phone)) if phone else None,
        "bank_account_digest": digest("bank_account", parse_bank_account(account)) if account else None,
    }
    return row | {f"person_{field}": _as(value, mine[field].type) for field, value in told.items()}


def _as(value: object, kind: Any) -> ColumnElement[Any]:
    return cast(literal(value, kind), kind)


def _token(register: Register, values: Mapping[str, Any], ids: Sequence[int]) -> str:
    """What nobody can make up, so that no other entry passes with it."""
    whose = [str(values.get(name) or "") for name in register.form.whose]
    said = repr((register.code, whose, list(ids)))
    return hmac.new(settings_of().secret_key, said.encode(), sha256).hexdigest()


def shown_entries(register: Register, ids: Sequence[int]) -> list[Alike]:
    """These entries as they are shown to be compared, by id."""
    model = register.model
    query: Select[Any] = select(model.id, Org.short_name).join(Org, Org.id == model.org_id).where(model.id.in_(ids))
    if register.of_people:
        query = query.add_columns(Person.name, Person.id_number_tail).join(Person, Person.id == model.person_id)
    return [
        Alike(row_id, org, person[0], mask_id(person[1])) if person else Alike(row_id, org)
        for row_id, org, *person in db.session.execute(query.order_by(model.id))
    ]
