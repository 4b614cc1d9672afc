"""Reading registers: the rows of one sponsor in one year, within a scope."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, select

from core.extensions import db
from core.org.models import Org
from core.org.queries import visible
from core.org.scope import Scope, lineage, subtree
from core.people import queries as people
from core.people.models import Person
from core.people.numbers import mask_id
from core.plugin.registry import registry_of
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.models import RecordChange
from core.wall import beyond_scope

PAGE = 50


@dataclass(frozen=True, slots=True)
class Line:
    """A row of a register with its union's short name; name and masked number where it is about a person."""

    row: Any
    org: str
    name: str = ""
    id_number: str = ""


def registers_of(program_year: ProgramYear) -> list[Register]:
    """The registers of the program, in the order in which its plugin names them."""
    return [item for item in registry_of().registers.values() if item.program == program_year.program]


def find_register(program_year: ProgramYear, name: str) -> Register | None:
    """The register of the program with this name, if its plugin is loaded."""
    return next((item for item in registers_of(program_year) if item.name == name), None)


def belonging(register: Register, program_year: ProgramYear) -> dict[str, int]:
    """The attribute by which rows belong to the year, or to its sponsor where they stay from year to year."""
    if hasattr(register.model, "program_year_id"):
        return {"program_year_id": program_year.id}
    return {"sponsor_id": program_year.org_id}


def belongs(register: Register, program_year: ProgramYear) -> list[ColumnElement[bool]]:
    """:func:`belonging` as conditions: the rows of the year, or of its sponsor."""
    return [getattr(register.model, name) == value for name, value in belonging(register, program_year).items()]


def find_line(register: Register, program_year: ProgramYear, row_id: int, scope: Scope) -> Line | None:
    """One row, if it belongs to this program year or sponsor and lies in the scope."""
    if row_id >= 2**63:  # the database could not even be asked
        return None
    model = register.model
    query: Select[Any] = select(model, Org.short_name).join(Org, Org.id == model.org_id)
    if register.of_people:
        query = query.add_columns(Person.name, Person.id_number_tail).join(Person, Person.id == model.person_id)
    mine = (*belongs(register, program_year), scope.covers(model.org_path), model.id == row_id)
    row = db.session.execute(query.where(*mine)).one_or_none()
    if row is None:
        return None
    record, org, *person = row
    return Line(record, org, person[0], mask_id(person[1])) if person else Line(record, org)


def changes_of(register: Register, row_id: int) -> Sequence[RecordChange]:
    """The history of an entry, newest first, as far as a page shows it."""
    return db.session.scalars(_changes(register, row_id).limit(PAGE)).all()


def last_change(register: Register, row_id: int) -> RecordChange | None:
    """The newest line of the history of an entry; none where it was made otherwise than by a form."""
    return db.session.scalars(_changes(register, row_id).limit(1)).first()


def _changes(register: Register, row_id: int) -> Select[RecordChange]:
    return (
        select(RecordChange)
        .where(RecordChange.register == register.code, RecordChange.row_id == row_id)
        .order_by(RecordChange.id.desc())
    )


def person_for(program_year: ProgramYear, id_number: str, scope: Scope) -> Person | None:
    """The active person with this (normalised) identity number, if in the scope and the sponsor's."""
    known = people.by_id_number(scope, id_number)
    person = db.session.get(Person, known.id) if known else None
    return person if person and person.active and is_of_sponsor(program_year, person.org_path) else None


def org_for(program_year: ProgramYear, code: str, scope: Scope) -> Org | None:
    """The active union with this code, if in the scope and the sponsor's."""
    org = visible(scope, code)
    return org if org and org.active and is_of_sponsor(program_year, org.path) else None


@beyond_scope("registers.stays")  # what keeps it may have stayed at a union where its person was before
def must_stay(register: Register, row: Any) -> bool:
    """Whether the register's own rule forbids to take this row out."""
    if register.stays is None:
        return False
    return db.session.scalar(select(register.stays()).where(register.model.id == row.id)) is True


def is_of_sponsor(program_year: ProgramYear, org_path: str) -> bool:
    """Whether a union lies below the sponsor, or belongs to it on the second axis, itself or one above it."""
    if org_path.startswith(program_year.org_path):
        return True
    members = select(Org.id).where(Org.path.in_(lineage(org_path)), subtree(Org.industry_path, program_year.org_path))
    return db.session.scalar(members.limit(1)) is not None
