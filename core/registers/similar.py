"""Entries that could be the same as one that is about to be added, before it is added."""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import Select, select

from core.config import settings_of
from core.errors import Refused
from core.extensions import db
from core.org.models import Org
from core.people.models import Person
from core.people.numbers import mask_id
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
    user: User, register: Register, program_year: ProgramYear, values: Mapping[str, Any], token: str
) -> None:
    """Raise :class:`Similar` where the register knows of any, unless ``token`` says that the user has looked at them.

    In the caller's transaction, in which whoever the entry is about is on file already.
    """
    if register.similar is None:
        return
    model, scope = register.model, scope_of(user, register.view_permission, program_year.program)
    among = [*belongs(register, program_year), model.id.in_(register.similar(program_year, values))]
    found = db.session.execute(select(model.id, model.org_path).where(*among).order_by(model.id)).all()
    here = [row.id for row in found if scope.includes(row.org_path)]
    told = _token(register, values, [row.id for row in found])
    if found and not hmac.compare_digest(told, token):
        raise Similar(_lines(register, here[:MOST_SHOWN]), len(found) - len(here), told)


def _token(register: Register, values: Mapping[str, Any], ids: Sequence[int]) -> str:
    """What nobody can make up, so that no other entry passes with it."""
    whose = [str(values.get(name) or "") for name in register.form.whose]
    said = repr((register.code, whose, list(ids)))
    return hmac.new(settings_of().secret_key, said.encode(), sha256).hexdigest()


def _lines(register: Register, ids: Sequence[int]) -> list[Alike]:
    model = register.model
    query: Select[Any] = select(model.id, Org.short_name).join(Org, Org.id == model.org_id).where(model.id.in_(ids))
    if register.of_people:
        query = query.add_columns(Person.name, Person.id_number_tail).join(Person, Person.id == model.person_id)
    return [
        Alike(row_id, org, person[0], mask_id(person[1])) if person else Alike(row_id, org)
        for row_id, org, *person in db.session.execute(query.order_by(model.id))
    ]
