"""Putting staged rows into their register, and taking them back: one statement each, however many there are."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from flask_babel import gettext as _
from psycopg import Error as DriverError
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    String,
    cast,
    delete,
    exists,
    func,
    literal,
    not_,
    null,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.exc import DataError, IntegrityError

from core.audit.models import AuditLine
from core.audit.services import record
from core.database import metadata
from core.errors import Refused
from core.extensions import db, whole
from core.imports.alike import mark_alike
from core.imports.checks import check_together, count_rows, joined, of_new_people, typed_value
from core.imports.models import Import, ImportRow
from core.org.models import Org
from core.org.scope import Scope
from core.people.secrets import decrypt
from core.people.services import PersonRow, register_people
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.models import RecordChange
from core.registers.queries import belonging
from core.registers.states import changeable, first_values
from core.users.models import User

#: People taken on file at a time.
BATCH = 5_000
Progress = Callable[[int, int], None]
_HISTORY = ["register", "row_id", "org_id", "org_path", "person_id", "action", "values", "user_id", "actor"]
#: What a line keeps once it is in the register: nothing but its row.
_CLEARED: dict[str, Any] = {"values": {}, "secret": None, "id_number_digest": None, "id_number_tail": ""}


def merge(
    actor: User, upload: Import, register: Register, program_year: ProgramYear, scope: Scope, progress: Progress
) -> int:
    """Take unknown people on file, then put all good rows into the register in one transaction; returns how many.

    Safe to run again at any point: who is on file stays there once, and a merge that is done is left alone. What has
    become wrong since the preview is marked and left out.
    """
    if register.takes_on_file:
        _take_on_file(actor, upload, scope, progress)
    try:
        with whole():
            upload = db.session.get_one(Import, upload.id, with_for_update=True, populate_existing=True)
            if upload.state == "merging":
                check_together(upload, register, program_year, scope)
                _refuse_unseen(upload, register, program_year, scope)
                upload.added = _insert(actor, upload, register, program_year, scope)
                count_rows(upload)
                upload.state, upload.merged_at = "merged", func.now()
                db.session.execute(text(f"ANALYZE {register.model.__tablename__}"))  # sooner than autovacuum does
                record(actor, "import.merged", subject_of(upload), upload.org_path, added=upload.added)
            db.session.commit()
    except (IntegrityError, DataError) as error:
        rule = error.orig.diag.constraint_name if isinstance(error.orig, DriverError) else None
        raise Refused(
            _("The register does not take these values; they break its rule “%(rule)s”.", rule=rule or "")
        ) from error
    return upload.added


def _refuse_unseen(upload: Import, register: Register, program_year: ProgramYear, scope: Scope) -> None:
    """Leave the import to be looked at again where rows are like entries that came after it was."""
    if mark_alike(upload, register, program_year, scope):
        count_rows(upload)
        upload.state = "staged"
        db.session.commit()  # so that the page shows them
        raise Refused(_("Entries have come that rows of this file could be the same as; look at them first."))


def undo(actor: User, upload: Import, register: Register) -> int:
    """Take back what the import made, but for rows that were changed or are needed since; returns how many went.

    In the caller's transaction. The people who were taken on file stay there. Raises :class:`Refused` when a table
    that this process does not know refers to one of the rows.
    """
    model = register.model
    gone = (
        delete(model)
        .where(model.id.in_(_rows_of(upload)), *(not_(one) for one in _kept(register)))
        .returning(
            model.id,
            model.org_id,
            model.org_path,
            (model.person_id if register.of_people else null()).label("person_id"),
        )
        .cte("gone")
    )
    person_id = cast(gone.c.person_id, BigInteger)
    line = [
        literal(register.code),
        gone.c.id,
        gone.c.org_id,
        gone.c.org_path,
        person_id,
        literal("remove"),
        literal({}, JSONB),
        literal(actor.id),
    ]
    history = insert(RecordChange).from_select(_HISTORY, select(*line, literal(actor.name))).add_cte(gone)
    try:
        result = db.session.connection().execute(history, execution_options={"preserve_rowcount": True})
    except IntegrityError as error:
        db.session.rollback()
        raise Refused(_("Something else refers to these entries, so they cannot be taken back.")) from error
    _forget_missing(upload, register)
    return int(result.rowcount)


def subject_of(upload: Import) -> str:
    """The import, as the audit trail names it."""
    return f"import:{upload.id}"


def secrets_of(row: ImportRow) -> dict[str, str]:
    """The identity number, phone and account of a staged row, as far as it has them."""
    found: dict[str, str] = json.loads(decrypt("import_row", row.secret)) if row.secret else {}
    return found


def _take_on_file(actor: User, upload: Import, scope: Scope, progress: Progress) -> None:
    done, total = 0, upload.good
    for rows in _unknown(upload):
        register_people(actor, [_person(row) for row in rows], scope)
        done += len(rows)
        progress(done, total)


def _unknown(upload: Import) -> Iterator[Sequence[ImportRow]]:
    """The good rows of people who are not on file, in batches."""
    last = -1
    while True:
        query = select(ImportRow).where(of_new_people(upload), ImportRow.line > last)
        rows = db.session.scalars(query.order_by(ImportRow.line).limit(BATCH)).all()
        if not rows:
            return
        last = rows[-1].line
        yield rows


def _person(row: ImportRow) -> PersonRow:
    numbers = secrets_of(row)
    return PersonRow(
        org_code=row.values["org_code"],
        name=row.values["name"],
        id_number=numbers["id_number"],
        phone=numbers.get("phone") or None,
        bank_account=numbers.get("bank_account") or None,
        bank_name=row.values.get("bank_name") or None,
    )


def _insert(actor: User, upload: Import, register: Register, program_year: ProgramYear, scope: Scope) -> int:
    """One ``INSERT ... SELECT`` with ids given out before, so that each line knows the row it makes."""
    model = register.model
    good = (ImportRow.import_id == upload.id) & (ImportRow.errors == []) & ~ImportRow.there
    sequence = func.pg_get_serial_sequence(model.__tablename__, "id")
    db.session.execute(
        update(ImportRow).where(good).values(row_id=func.nextval(sequence)).execution_options(synchronize_session=False)
    )
    beside = joined(register, program_year, scope)
    owner: Any = beside.person if register.of_people else Org
    fixed = belonging(register, program_year)
    table = model.__table__
    names = [field.name for field in register.form() if field.name not in register.form.whose]
    sources: dict[str, Any] = {"id": ImportRow.row_id, **{name: literal(value) for name, value in fixed.items()}}
    if register.of_people:
        sources |= {"person_id": owner.id, "org_id": owner.org_id, "org_path": owner.org_path}
    else:
        sources |= {"org_id": owner.id, "org_path": owner.path}
    first = first_values(register, program_year, actor)
    sources |= {name: cast(literal(value), table.c[name].type) for name, value in first.items()}
    sources |= {name: typed_value(table.c[name]) for name in names}
    rows = beside.rows(*sources.values()).where(good).order_by(ImportRow.line)
    result = db.session.connection().execute(
        insert(table).from_select(list(sources), rows).on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )
    _forget_missing(upload, register, there=True)
    _write_history(actor, upload, register, names)
    if register.follows is not None:
        register.follows(program_year, _rows_of(upload))
    db.session.execute(
        update(ImportRow)
        .where(ImportRow.import_id == upload.id, ImportRow.errors == [])
        .values(**_CLEARED)
        .execution_options(synchronize_session=False)
    )
    return int(result.rowcount)


def _rows_of(upload: Import) -> Select[int]:
    """The ids of what the import made."""
    return select(cast(ImportRow.row_id, BigInteger)).where(
        ImportRow.import_id == upload.id, ImportRow.row_id.is_not(None)
    )


def _write_history(actor: User, upload: Import, register: Register, names: Sequence[str]) -> None:
    """Each row's history begins with what the import put into it."""
    model = register.model
    pairs = [
        part
        for name in names
        for part in (literal(name), func.jsonb_build_array(None, func.jsonb_extract_path(ImportRow.values, name)))
    ]
    made = (
        select(
            literal(register.code),
            model.id,
            model.org_id,
            model.org_path,
            model.person_id if register.of_people else null(),
            literal("import"),
            func.jsonb_build_object(*pairs),
            literal(actor.id),
            literal(actor.name),
        )
        .join(ImportRow, ImportRow.row_id == model.id)
        .where(ImportRow.import_id == upload.id)
        .order_by(model.id)
    )
    db.session.execute(insert(RecordChange).from_select(_HISTORY, made))


def _forget_missing(upload: Import, register: Register, *, there: bool = False) -> None:
    """No line names a row that is not in the register (any more); ``there``: as another was quicker to put it there."""
    is_made = exists().where(register.model.id == ImportRow.row_id)
    values: dict[str, Any] = {"row_id": None, "there": True} if there else {"row_id": None}
    db.session.execute(
        update(ImportRow)
        .where(ImportRow.import_id == upload.id, ImportRow.row_id.is_not(None), ~is_made)
        .values(**values)
        .execution_options(synchronize_session=False)
    )


def _kept(register: Register) -> Iterator[ColumnElement[bool]]:
    """Why a row stays: its own rule, its flow, a row of another table, or something kept about it under its subject."""
    model = register.model
    if register.stays is not None:
        yield register.stays()
    if register.flow is not None:
        yield not_(changeable(register))
    subject = literal(f"{register.code}:").op("||")(cast(model.id, String))
    for table in metadata.tables.values():
        pointing = [key.parent == model.id for key in table.foreign_keys if key.column is model.__table__.c.id]
        if pointing:
            yield exists(select(1).select_from(table).where(or_(*pointing)))
        if table.name.startswith("core_") and "subject" in table.c:
            yield exists(select(1).select_from(table).where(table.c.subject == subject))
    yield exists().where(AuditLine.object == subject)
    yield exists().where(
        RecordChange.register == register.code, RecordChange.row_id == model.id, RecordChange.action != "import"
    )
