"""Lists that come in as files: staged and checked, looked at, then merged by a job or cancelled.

The personal numbers are encrypted from the first moment on, and leave the staging when the list is merged or cancelled.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from flask_babel import gettext as _
from sqlalchemy import ColumnElement, delete, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import insert

from core.api import (
    Forbidden,
    Org,
    Person,
    PersonRow,
    ProgramYear,
    Record,
    Refused,
    Scope,
    User,
    ZhijiaError,
    by_columns,
    copy_rows,
    db,
    decrypt,
    digest,
    encrypt,
    enqueue,
    person_id_of,
    read_rows,
    record,
    register_people,
    write_xlsx,
)
from plugins.four_seasons.checks import Line, check_line, check_together
from plugins.four_seasons.models import Hardship, Import, ImportRow
from plugins.four_seasons.titles import CATEGORY_NAMES, COLUMNS, REASON_COLUMN, REQUIRED

#: A longer list is split; one county has far fewer.
MOST_ROWS = 100_000
#: People taken on file at a time.
BATCH = 5_000
STAGED = (
    "import_id", "line", "name", "org_code", "category", "cause", "bank_name",
    "id_number", "id_number_digest", "id_number_tail", "phone", "bank_account", "errors",
)  # fmt: skip


def stage(actor: User, program_year: ProgramYear, scope: Scope, path: Path, file_name: str) -> Import:
    """Read and check a file; nothing of it is on the list yet. Amounts to one transaction.

    Raises :class:`ZhijiaError` when the file cannot be read at all: its kind, its columns, no rows, too many.
    """
    org = _uploader(actor, scope)
    upload = Import(
        program_year_id=program_year.id, org_id=org.id, org_path=org.path, user_id=actor.id, file_name=file_name
    )
    try:
        records = by_columns(read_rows(path, file_name), COLUMNS, REQUIRED)
        db.session.add(upload)
        db.session.flush()
        if not copy_rows(ImportRow.__tablename__, STAGED, _sealed(upload.id, records)):
            raise ZhijiaError(_("The file has headings, but no rows."))
    except ZhijiaError:
        db.session.rollback()
        raise
    check_together(upload.id, program_year, scope)
    upload.bad = _count(upload.id, ImportRow.errors != [])
    upload.good = _count(upload.id, ImportRow.errors == [])
    record(actor, "hardship_import.stage", _subject(upload), org.path, good=upload.good, bad=upload.bad)
    db.session.commit()
    return upload


def start_merge(actor: User, upload: Import, *, only_good: bool) -> None:
    """Ask a worker to put the good rows on the list. With bad rows only on request (``only_good``)."""
    upload = _locked(upload)
    if upload.state not in ("staged", "merging"):
        raise Refused(_("This list has been merged or cancelled already."))
    if not upload.good:
        raise Refused(_("The file has no row that could go on the list."))
    if upload.bad and not only_good:
        raise Refused(
            _(
                "%(count)s rows are wrong. Correct the file and upload it again, or ask for the good rows only.",
                count=upload.bad,
            )
        )
    upload.state = "merging"
    enqueue(
        "four_seasons.merge_import",
        actor,
        upload.org_path,
        program_year_id=upload.program_year_id,
        key=f"four_seasons_import:{upload.id}",
        args={"import_id": upload.id},
    )
    record(actor, "hardship_import.merge", _subject(upload), upload.org_path, good=upload.good, left_out=upload.bad)
    db.session.commit()


def cancel(actor: User, upload: Import) -> None:
    """Throw the uploaded rows away. Raises :class:`Refused` once they go on the list."""
    upload = _locked(upload)
    if upload.state != "staged":
        raise Refused(_("Only a list that has not been merged can be cancelled."))
    upload.state = "cancelled"
    db.session.execute(delete(ImportRow).where(ImportRow.import_id == upload.id))
    record(actor, "hardship_import.cancel", _subject(upload), upload.org_path)
    db.session.commit()


def merge(actor: User, upload: Import, scope: Scope, progress: Callable[[int, int], None]) -> int:
    """Take the unknown people on file, then put all good rows on the list in one statement; returns how many.

    Safe to run again at any point: who is on file or on the list stays there once.
    """
    if upload.state != "merging":
        return upload.added
    done, total = 0, upload.good
    for rows in _unknown(upload.id):
        register_people(actor, (_person(row) for row in rows), scope)
        done += len(rows)
        progress(done, total)
    upload = _locked(upload)
    if upload.state != "merging":
        db.session.rollback()
        return upload.added
    upload.added = _put_on_list(upload, scope)
    upload.state = "merged"
    db.session.execute(text(f"ANALYZE {Hardship.__tablename__}"))  # a run may come before autovacuum does
    db.session.execute(delete(ImportRow).where(ImportRow.import_id == upload.id, ImportRow.errors == []))
    record(actor, "hardship_import.merged", _subject(upload), upload.org_path, added=upload.added)
    db.session.commit()
    progress(total, total)
    return upload.added


def write_errors(upload: Import, target: IO[bytes]) -> None:
    """The bad rows as they were uploaded, with a column that says what is wrong, as xlsx."""
    write_xlsx(target, [*COLUMNS.values(), REASON_COLUMN], _bad_rows(upload.id), "问题行")


def write_template(target: IO[bytes]) -> None:
    """An empty list with its headings, as xlsx."""
    write_xlsx(target, list(COLUMNS.values()), [], "困难职工名单")


def _uploader(actor: User, scope: Scope) -> Org:
    """The union that an upload belongs to: the user's own, or the first that they may edit."""
    if not scope.paths:
        raise Forbidden(_("You may not change the hardship list of any union."))
    path = actor.org_path if scope.includes(actor.org_path) else scope.paths[0]
    return db.session.scalars(select(Org).where(Org.path == path)).one()


def _subject(upload: Import) -> str:
    return f"four_seasons_import:{upload.id}"


def _locked(upload: Import) -> Import:
    return db.session.get_one(Import, upload.id, with_for_update=True, populate_existing=True)


def _count(import_id: int, condition: ColumnElement[bool]) -> int:
    return db.session.scalar(select(func.count()).where(ImportRow.import_id == import_id, condition)) or 0


def _sealed(import_id: int, records: Iterator[Record]) -> Iterator[Sequence[object]]:
    for count, one in enumerate(records, start=1):
        if count > MOST_ROWS:
            raise ZhijiaError(_("The file has more than %(count)s rows; please split it.", count=MOST_ROWS))
        yield _values(import_id, check_line(one))


def _values(import_id: int, line: Line) -> Sequence[object]:
    values = line.values
    number = values["id_number"]
    return (
        import_id, line.line, values["name"], values["org_code"], values["category"], values["cause"],
        values["bank_name"],
        encrypt("id_number", number),
        digest("id_number", number) if line.id_number_valid else None,
        number[-4:],
        encrypt("phone", values["phone"]) if values["phone"] else None,
        encrypt("bank_account", values["bank_account"]) if values["bank_account"] else None,
        json.dumps(line.errors, ensure_ascii=False),
    )  # fmt: skip


def _unknown(import_id: int) -> Iterator[Sequence[ImportRow]]:
    """The good rows of people who are not on file, in batches."""
    last = -1
    on_file = exists().where(Person.id_number_digest == ImportRow.id_number_digest)
    while True:
        rows = db.session.scalars(
            select(ImportRow)
            .where(ImportRow.import_id == import_id, ImportRow.errors == [], ImportRow.line > last, ~on_file)
            .order_by(ImportRow.line)
            .limit(BATCH)
        ).all()
        if not rows:
            return
        last = rows[-1].line
        yield rows


def _person(row: ImportRow) -> PersonRow:
    return PersonRow(
        org_code=row.org_code,
        name=row.name,
        id_number=decrypt("id_number", row.id_number),
        phone=decrypt("phone", row.phone) if row.phone else None,
        bank_account=decrypt("bank_account", row.bank_account) if row.bank_account else None,
        bank_name=row.bank_name or None,
    )


def _put_on_list(upload: Import, scope: Scope) -> int:
    good = (
        select(
            literal(upload.program_year_id),
            Person.id,
            Person.org_id,
            Person.org_path,
            ImportRow.category,
            ImportRow.cause,
            literal(f"import:{upload.id}"),
        )
        .join(Person, Person.id == person_id_of(ImportRow.id_number_digest))
        .where(ImportRow.import_id == upload.id, ImportRow.errors == [], scope.covers(Person.org_path))
        .order_by(ImportRow.line)
    )
    columns = ["program_year_id", "person_id", "org_id", "org_path", "category", "cause", "source"]
    result = db.session.connection().execute(
        insert(Hardship).from_select(columns, good).on_conflict_do_nothing(),
        execution_options={"preserve_rowcount": True},
    )
    return int(result.rowcount)


def _bad_rows(import_id: int) -> Iterator[list[str]]:
    names = {code: name for name, code in CATEGORY_NAMES.items()}
    rows = db.session.scalars(
        select(ImportRow)
        .where(ImportRow.import_id == import_id, ImportRow.errors != [])
        .order_by(ImportRow.line)
        .execution_options(yield_per=BATCH)
    )
    for row in rows:
        person = _person(row)
        yield [
            row.name,
            person.id_number,
            row.org_code,
            names.get(row.category, row.category),
            row.cause,
            person.phone or "",
            person.bank_account or "",
            row.bank_name,
            " ".join(row.errors),
        ]
