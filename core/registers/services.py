"""Changing the rows of a register: each done as a whole, with its line in the audit trail."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from flask_babel import gettext as _
from psycopg.errors import UniqueViolation
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError, InvalidRequestError

from core.audit.services import look, record
from core.errors import NotFound, Refused
from core.extensions import db, whole
from core.org.scope import Scope
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers import queries
from core.registers.history import difference, keep, values_of
from core.registers.models import RecordChange
from core.registers.owners import org_of, person_of, person_on_file
from core.registers.rules import refuse_broken
from core.registers.similar import refuse_similar
from core.registers.states import first_values, refuse_unless_changeable
from core.users.access import require, scope_of
from core.users.models import User

log = structlog.get_logger()


class Outdated(Refused):
    """Somebody changed the entry after the actor had opened it.

    ``meanwhile`` is field -> [what the actor saw, what stands there now]; ``last`` is the newest line of its history.
    """

    def __init__(self, meanwhile: Mapping[str, list[Any]], last: RecordChange | None) -> None:
        super().__init__(_("This entry was changed after you had opened it; nothing was saved."))
        self.meanwhile, self.last = meanwhile, last


def add(actor: User, register: Register, program_year: ProgramYear, values: Mapping[str, Any], others: str = "") -> Any:
    """Put a row into the register: ``values`` of its form, with ``id_number`` or ``org_code``. Returns the row.

    ``others`` is the token of a :class:`Similar` that the actor has looked at, and meant none of its entries.

    Raises :class:`ZhijiaError` at the field: nobody on file or no such union in the actor's scope at this sponsor, in
    the register already, or a rule of the register that is broken. Raises :class:`Similar` where the register knows of
    entries that could be the same.
    """
    scope = scope_of(actor, register.edit_permission, program_year.program)
    given = {name: value for name, value in values.items() if name not in register.form.whose}
    with _rules_kept(register, values):
        place = _place(actor, register, program_year, values, scope)
        first = first_values(register, program_year, actor)
        held = {**queries.belonging(register, program_year), **place, **first, **given}
        refuse_similar(actor, register, program_year, values, held, others)
        refuse_broken(register, program_year, held)
        row = register.model(**held)
        db.session.add(row)
        db.session.flush()
        keep(actor, register, row, "add", difference({}, values_of(register, row)))
        record(actor, "register.add", _subject(register, row), row.org_path)
        _follow(register, program_year, row)
        db.session.commit()
    return row


def change(
    actor: User,
    register: Register,
    program_year: ProgramYear,
    row: Any,
    values: Mapping[str, Any],
    seen: Mapping[str, Any],
) -> None:
    """Give a row new values; its history keeps both, the audit trail their names. Whose row it is, stays.

    ``seen`` are the values (:func:`values_of`) that the actor had before them. Raises :class:`Outdated` when others
    stand there now, :class:`Refused` in a state that forbids it, :class:`Forbidden`, and :class:`ZhijiaError` at the
    field where a value stands in the register already or breaks a rule of the register.
    """
    with _rules_kept(register, values):
        db.session.refresh(row, with_for_update=True)
        require(actor, register.edit_permission, row.org_path, program_year.program)
        refuse_unless_changeable(register, row)
        before = values_of(register, row)
        if meanwhile := difference(seen, before):
            raise Outdated(meanwhile, queries.last_change(register, row.id))
        held = {column.name: getattr(row, column.name) for column in register.model.__table__.columns}
        refuse_broken(register, program_year, {**held, **values})
        for name, value in values.items():
            setattr(row, name, value)
        if changed := difference(before, values_of(register, row)):
            db.session.flush()
            keep(actor, register, row, "change", changed)
            record(actor, "register.change", _subject(register, row), row.org_path, fields=list(changed))
            _follow(register, program_year, row)
        db.session.commit()


def remove(actor: User, register: Register, program_year: ProgramYear, row: Any) -> None:
    """Take a row out of the register.

    Raises :class:`Forbidden`, and :class:`Refused` when something keeps it there, its state among others.
    """
    require(actor, register.edit_permission, row.org_path, program_year.program)
    if queries.must_stay(register, row):
        raise Refused(str(register.stays_because))
    subject, org_path = _subject(register, row), row.org_path
    try:
        with whole():
            db.session.refresh(row, with_for_update=True)
            refuse_unless_changeable(register, row)
            keep(actor, register, row, "remove", difference(values_of(register, row), {}))
            # The database alone decides what may go: the ORM would cut off what refers to the row.
            db.session.execute(delete(register.model).where(register.model.id == row.id))
            record(actor, "register.remove", subject, org_path)
            db.session.commit()
    except IntegrityError as error:
        raise Refused(_("Something else refers to this entry, so it cannot be removed.")) from error


def _follow(register: Register, program_year: ProgramYear, row: Any) -> None:
    if register.follows is not None:
        register.follows(program_year, select(register.model.id).where(register.model.id == row.id))


def _place(
    actor: User, register: Register, program_year: ProgramYear, values: Mapping[str, Any], scope: Scope
) -> dict[str, Any]:
    """Whose row it is to be; somebody unknown is on file afterwards, where the register takes people on file."""
    if not register.of_people:
        org = org_of(program_year, values["org_code"], scope)
        return {"org_id": org.id, "org_path": org.path}
    if register.takes_on_file:
        person = person_on_file(actor, program_year, values, scope)
    else:
        person = person_of(program_year, values["id_number"], scope)
    return {"person_id": person.id, "org_id": person.org_id, "org_path": person.org_path}


def note_shown(actor: User, register: Register, row: Any) -> None:
    """That the page of an entry about a person was opened goes on record."""
    if register.of_people:
        look(actor, "register.entry_shown", _subject(register, row), row.org_path, person=row.person_id)


def _subject(register: Register, row: Any) -> str:
    return f"{register.code}:{row.id}"


@contextmanager
def _rules_kept(register: Register, values: Mapping[str, Any]) -> Iterator[None]:
    """All of it or nothing; what the table's own rules forbid becomes a sentence at the field."""
    try:
        with whole():
            yield
    except InvalidRequestError as error:  # the row is not there to be locked
        raise NotFound(_("Somebody else has removed this entry meanwhile.")) from error
    except IntegrityError as error:
        raise _refusal(register, values, error) from error


def _refusal(register: Register, values: Mapping[str, Any], error: IntegrityError) -> Refused:
    rule = error.orig.diag.constraint_name if error.orig is not None else ""  # type: ignore[attr-defined]
    if not isinstance(error.orig, UniqueViolation):
        log.error("a form lets through what its table forbids", register=register.code, rule=rule)
        return Refused(_("The register does not take these values; they break its rule “%(rule)s”.", rule=rule))
    table = register.model.__table__
    columns = next(
        (list(item.columns.keys()) for item in (*table.constraints, *table.indexes) if item.name == rule), []
    )
    field = next((name for name in reversed(columns) if name in values), None)
    if field:
        return Refused(_("The register has an entry with this value already."), field=field)
    if register.of_people:
        return Refused(_("This person is in the register already."), field="id_number")
    return Refused(_("This union is in the register already."), field="org_code")
