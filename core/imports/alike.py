"""Staged rows that could be the same as entries that are there, by what the register says; all are asked at once.

Identity number, phone and account of a row stand encrypted; what is made of them to compare lies in a temporary table.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    CursorResult,
    Date,
    LargeBinary,
    MetaData,
    Table,
    Text,
    func,
    literal,
    select,
    text,
    true,
    union,
    update,
)
from sqlalchemy import Column as TableColumn

from core.bulk import copy_rows
from core.extensions import db
from core.imports.checks import joined, typed_value, value_of
from core.imports.models import Import, ImportRow
from core.org.models import Org
from core.org.scope import Scope
from core.people.secrets import Keys, keys
from core.pinyin import spell_name
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.registers.similar import MOST_SHOWN, Alike, shown_entries, similar_to
from core.wall import beyond_scope

_staged = Table(
    "staged_alike",
    MetaData(),  # its own: no table of the migrations
    TableColumn("line", BigInteger),
    TableColumn("pinyin", Text),
    TableColumn("born_on", Date),
    TableColumn("phone_digest", LargeBinary),
    TableColumn("bank_account_digest", LargeBinary),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
#: Rows that are made ready at a time.
BATCH = 5_000
_COLUMNS = tuple(column.name for column in _staged.columns)


@beyond_scope("imports.alike")
def mark_alike(upload: Import, register: Register, program_year: ProgramYear, scope: Scope) -> int:
    """Mark the good rows that could be the same as an entry of the register; returns how many were not marked before.

    In the caller's transaction, after ``check_together``; may be called again when things have changed meanwhile.
    """
    if register.similar is None:
        return 0
    row = _rows(register, program_year, scope, _good(upload))
    alike = (
        one.with_only_columns(literal(1), maintain_column_froms=True).correlate(row).exists()
        for one in similar_to(register, program_year, dict(row.c.items()))
    )
    lines = union(*(select(row.c.line).where(condition) for condition in alike)).subquery()
    fresh = (ImportRow.import_id == upload.id) & ~ImportRow.alike & ImportRow.line.in_(select(lines.c.line))
    options = {"preserve_rowcount": True, "synchronize_session": False}
    result = db.session.execute(update(ImportRow).where(fresh).values(alike=True), execution_options=options)
    assert isinstance(result, CursorResult)  # noqa: S101  # what UPDATE gives
    return result.rowcount


@beyond_scope("imports.alike")
def alike_of(
    upload: Import, register: Register, program_year: ProgramYear, scope: Scope, lines: Sequence[int]
) -> Mapping[int, tuple[list[Alike], int]]:
    """Of these (few) lines: the first entries that each could be the same as, and how many of them lie elsewhere.

    ``scope`` is where the user may see the register. Of what lies elsewhere only the number is told, and where a line
    is like many entries not all are counted.
    """
    if register.similar is None or not lines:
        return {}
    row, model = _rows(register, program_year, scope, _good(upload) & ImportRow.line.in_(lines)), register.model
    near = [
        one.correlate(row).limit(MOST_SHOWN).lateral()
        for one in similar_to(register, program_year, dict(row.c.items()))
    ]
    pairs = union(*(select(row.c.line, one.c.id).join_from(row, one, true()) for one in near)).subquery()
    query = select(pairs.c.line, model.id, model.org_path).join(model, model.id == pairs.c.id)
    found = db.session.execute(query.order_by(pairs.c.line, model.id)).all()
    ids = [one.id for one in found if scope.includes(one.org_path)]
    seen = {entry.id: entry for entry in shown_entries(register, ids)}
    told: dict[int, tuple[list[Alike], int]] = {}
    for line, group in groupby(found, lambda one: one.line):
        entries = [one.id for one in group]
        here = [seen[one] for one in entries if one in seen]
        told[line] = here[:MOST_SHOWN], len(entries) - len(here)
    return told


def _good(upload: Import) -> ColumnElement[bool]:
    return (ImportRow.import_id == upload.id) & (ImportRow.errors == []) & ~ImportRow.there


def _rows(register: Register, program_year: ProgramYear, scope: Scope, chosen: ColumnElement[bool]) -> CTE:
    """The staged rows as ``Register.similar`` asks for them, each with its ``line``."""
    beside, table = joined(register, program_year, scope), register.model.__table__
    names = [field.name for field in register.form() if field.name in table.c]
    columns: dict[str, Any] = {name: typed_value(table.c[name]) for name in names}
    if not register.of_people:
        query = beside.rows(ImportRow.line, *_labelled(columns | {"org_id": Org.id, "org_path": Org.path}))
    else:
        _stage(chosen)
        query = beside.rows(ImportRow.line, *_labelled(columns | _person(register, beside.person)))
        query = query.join(_staged, _staged.c.line == ImportRow.line)
    # Made once for all ways of being alike; and no value is read before its row is known to be good.
    return query.where(chosen).cte("row").prefix_with("MATERIALIZED")


def _person(register: Register, person: Any) -> dict[str, Any]:
    """Whose row it is: by what was typed, and as far as nothing was, by what is on file."""
    own = register.names_person
    return {
        "org_id": person.org_id,
        "org_path": person.org_path,
        "person_id": person.id,
        "person_name": func.coalesce(func.nullif(value_of("name"), ""), person.name) if own else person.name,
        "person_pinyin": func.coalesce(_staged.c.pinyin, person.pinyin) if own else person.pinyin,
        "person_born_on": func.coalesce(person.born_on, _staged.c.born_on),
        "person_phone_digest": _staged.c.phone_digest,
        "person_bank_account_digest": _staged.c.bank_account_digest,
    }


def _labelled(columns: Mapping[str, Any]) -> list[Any]:
    return [value.label(name) for name, value in columns.items()]


def _stage(chosen: ColumnElement[bool]) -> None:
    """What the people of these rows are compared by, in a temporary table of this transaction."""
    connection, installation_keys = db.session.connection(), keys()
    _staged.drop(connection, checkfirst=True)
    _staged.create(connection, checkfirst=False)
    query = select(ImportRow.line, ImportRow.secret, value_of("name")).where(chosen).order_by(ImportRow.line)
    last = -1
    while rows := db.session.execute(query.where(ImportRow.line > last).limit(BATCH)).all():
        last = rows[-1][0]
        copy_rows(_staged.name, _COLUMNS, (_compared(installation_keys, *row) for row in rows))
    db.session.execute(text("ANALYZE staged_alike"))


def _compared(keys_in_use: Keys, line: int, secret: bytes | None, name: str | None) -> tuple[object, ...]:
    numbers: dict[str, str] = json.loads(keys_in_use.decrypt("import_row", secret)) if secret else {}
    number, phone, account = (numbers.get(field) for field in ("id_number", "phone", "bank_account"))
    return (
        line,
        spell_name(name).pinyin if name else None,
        date(int(number[6:10]), int(number[10:12]), int(number[12:14])) if number else None,
        keys_in_use.digest("phone", phone) if phone else None,
        keys_in_use.digest("bank_account", account) if account else None,
    )
