"""An import step by step: upload, columns, merge, cancel, take back. Each is done as a whole, with its audit line.

A file that cannot be dealt with while somebody waits is kept encrypted until a worker has read it.
"""

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from flask_babel import get_locale
from flask_babel import gettext as _
from sqlalchemy import delete, text
from sqlalchemy.dialects.postgresql import insert

from core.audit.services import record
from core.config import LOCAL_ZONE, settings_of
from core.errors import Forbidden, Refused, ZhijiaError
from core.extensions import db, whole
from core.files.vault import open_vault, write_vault
from core.imports import merging, queries
from core.imports.alike import mark_alike
from core.imports.checks import check_together, count_new_people, count_rows
from core.imports.fields import check_columns, fields_of, plain
from core.imports.merging import subject_of
from core.imports.models import Import, ImportMapping, ImportRow
from core.imports.reading import find_list
from core.imports.staging import copy_list
from core.jobs.services import enqueue
from core.keys.queries import file_keys
from core.org.scope import Scope
from core.plugin.gate import refuse_unless_open
from core.plugin.hooks import scan_file
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.users.access import scope_of, today
from core.users.models import User

#: Bytes of a CSV, or of what an xlsx unpacks to, that are read while somebody waits: some thousand rows.
LARGEST_AT_ONCE = {".csv": 500_000, ".xlsx": 4_000_000}
Progress = Callable[[int, int], None]


def upload(actor: User, register: Register, program_year: ProgramYear, content: IO[bytes], file_name: str) -> Import:
    """Take a file for the register; nothing of it is in the register yet.

    It ends up ``staged``, or ``mapping`` where a heading is not known or the same file was uploaded before, or
    ``reading`` where a worker is to read it. Raises :class:`ZhijiaError` where it cannot be read at all.
    """
    refuse_unless_open(program_year)
    scope = _scope(actor, register, program_year)
    if found := scan_file(content, Path(file_name).name):
        raise Refused(_("The file was not taken, as a virus was found in it: %(names)s", names="、".join(found)))
    org = queries.uploader_org(scope, actor.org_path)
    one = Import(
        register=register.code,
        program_year_id=program_year.id,
        org_id=org.id,
        org_path=org.path,
        user_id=actor.id,
        file_name=Path(file_name).name,
        digest=_digest(content),
        language=str(get_locale() or "zh"),
    )
    with whole():
        db.session.add(one)
        db.session.flush()
        record(actor, "import.upload", subject_of(one), org.path, register=register.code)
        if is_large(content, file_name):
            _read_later(actor, one, content)
        else:
            _read(actor, one, register, program_year, scope, content, _nobody_asks)
            if one.state == "mapping":
                _keep(one, content)
        db.session.commit()
    return one


def choose_columns(
    actor: User, one: Import, register: Register, program_year: ProgramYear, columns: Sequence[str]
) -> None:
    """Say what each column is (empty: left out), to be remembered, and go on with reading.

    Raises :class:`ZhijiaError` where a field stands above two columns or one that must be there above none.
    """
    refuse_unless_open(program_year)
    scope = _scope(actor, register, program_year)
    fields = fields_of(register)
    names = {field.name for field in fields}
    with whole():
        one = _locked(one)
        if one.state != "mapping":
            raise Refused(_("The columns of this file are known already."))
        if len(columns) != len(one.headings) or not names.issuperset(filter(None, columns)):
            raise ZhijiaError(_("Say of every column what it is."))
        check_columns(columns, fields)
        one.columns = list(columns)
        _remember(actor, register, dict(zip(map(plain, one.headings), columns, strict=True)))
        record(actor, "import.columns", subject_of(one), one.org_path)
        with _kept(one) as content:
            if is_large(content, one.file_name):
                _read_later(actor, one, None)
            else:
                _read(actor, one, register, program_year, scope, content, _nobody_asks)
        db.session.commit()
    if one.state != "reading":
        file_of(one.id).unlink(missing_ok=True)


def read_by_job(actor: User, one: Import, register: Register, program_year: ProgramYear, progress: Progress) -> None:
    """Read and check a file that a worker was asked to read; safe to run again, as it is one transaction.

    Where the file cannot be read, the import says why and has failed; raises the same :class:`ZhijiaError`.
    """
    try:
        with whole():
            one = _locked(one)
            if one.state == "reading":
                scope = _scope(actor, register, program_year)
                with _kept(one) as content:
                    _read(actor, one, register, program_year, scope, content, progress)
            db.session.commit()
    except ZhijiaError as error:
        _set_back(one, "failed", str(error))
        file_of(one.id).unlink(missing_ok=True)
        raise
    if one.state != "mapping":
        file_of(one.id).unlink(missing_ok=True)


def start_merge(
    actor: User, one: Import, register: Register, program_year: ProgramYear, *, only_good: bool, others: bool = False
) -> None:
    """Ask a worker to put the good rows into the register. With bad rows only on request (``only_good``), and with
    rows that could be the same as entries that are there only where ``others`` says that none of these is meant.

    Raises :class:`Refused` where too large a share of the rows is wrong: then not even the good ones are merged.
    """
    refuse_unless_open(program_year)
    _scope(actor, register, program_year)
    with whole():
        one = _locked(one)
        if one.state not in ("staged", "merging"):
            raise Refused(_("This file has been merged or cancelled already."))
        if not one.good:
            raise Refused(_("The file has no row that could go into the register."))
        if too_bad(one, register):
            raise Refused(_("Too many rows are wrong. Correct the file and upload it again."))
        if one.bad and not only_good:
            raise Refused(
                _(
                    "%(count)s rows are wrong. Correct the file and upload it again, or ask for the good rows only.",
                    count=one.bad,
                )
            )
        if one.alike and not others:
            raise Refused(
                _("%(count)s rows could be the same as entries that are there; look at them first.", count=one.alike)
            )
        one.state, one.error = "merging", ""
        _ask(actor, one, "merge")
        record(actor, "import.merge", subject_of(one), one.org_path, good=one.good, left_out=one.bad, alike=one.alike)
        db.session.commit()


def merge_by_job(actor: User, one: Import, register: Register, program_year: ProgramYear, progress: Progress) -> None:
    """Merge, as far as the year and the user's permission still allow it; else the import says why and is staged."""
    try:
        if one.state != "merging":
            return
        refuse_unless_open(program_year)
        merging.merge(actor, one, register, program_year, _scope(actor, register, program_year), progress)
    except ZhijiaError as error:
        _set_back(one, "staged", str(error))
        raise


def cancel(actor: User, one: Import) -> None:
    """Throw the uploaded rows away. Raises :class:`Refused` once they go into the register, and while they are read."""
    at_work = queries.is_at_work(one)
    with whole():
        one = _locked(one)
        if one.state not in ("reading", "mapping", "staged") or at_work:
            raise Refused(_("Only a file that waits to be merged can be cancelled."))
        one.state = "cancelled"
        clear(one)
        record(actor, "import.cancel", subject_of(one), one.org_path)
        db.session.commit()
    file_of(one.id).unlink(missing_ok=True)


def undo(actor: User, one: Import, register: Register, program_year: ProgramYear) -> None:
    """Take back, on the day of the merge, what the import put into the register; ``removed`` says how many.

    Rows that were changed or are needed by something else since stay. Raises :class:`Refused` and :class:`Forbidden`.
    """
    refuse_unless_open(program_year)
    scope = _scope(actor, register, program_year)
    with whole():
        one = _locked(one)
        if not can_be_undone(one):
            raise Refused(_("An import can be taken back only on the day on which it was merged."))
        if not scope.includes(one.org_path):
            raise Forbidden(_("You may not change this register for all of these unions."))
        one.removed = merging.undo(actor, one, register)
        one.state = "undone" if one.removed == one.added else "merged"
        record(actor, "import.undo", subject_of(one), one.org_path, removed=one.removed, stays=one.added - one.removed)
        db.session.commit()


def too_bad(one: Import, register: Register) -> bool:
    """Whether a larger share of the rows is wrong than the register allows."""
    return one.bad > register.import_bad_share * (one.good + one.bad + one.there)


def can_be_undone(one: Import) -> bool:
    """Whether it was merged today (Asia/Shanghai) and nobody has tried to take it back yet."""
    merged = one.state == "merged" and one.added and not one.removed and one.merged_at
    return bool(merged and one.merged_at and one.merged_at.astimezone(LOCAL_ZONE).date() == today())


def is_large(content: IO[bytes], file_name: str) -> bool:
    """Whether reading it would keep somebody waiting; a broken file is none, it is refused at once."""
    content.seek(0)
    kind = Path(file_name).suffix.lower()
    size = content.seek(0, io.SEEK_END)
    if kind == ".xlsx":
        try:
            with zipfile.ZipFile(content) as archive:
                size = sum(item.file_size for item in archive.infolist())
        except (zipfile.BadZipFile, NotImplementedError):
            size = 0
    content.seek(0)
    return size > LARGEST_AT_ONCE.get(kind, size)


def clear(one: Import) -> None:
    """Throw away the staged rows that made nothing, in the caller's transaction."""
    db.session.execute(delete(ImportRow).where(ImportRow.import_id == one.id, ImportRow.row_id.is_(None)))


def file_of(import_id: int) -> Path:
    """Where an uploaded file waits, encrypted."""
    return settings_of().files / "imports" / str(import_id)


def _read(
    actor: User,
    one: Import,
    register: Register,
    program_year: ProgramYear,
    scope: Scope,
    content: IO[bytes],
    progress: Progress,
) -> None:
    """Find the list and stage it, or ask what its columns are; in the caller's transaction."""
    fields = fields_of(register)
    found = find_list(content, one.file_name, fields, queries.remembered(actor.id, register))
    if one.columns:
        found = replace(found, columns=list(one.columns))
    else:
        one.headings = found.headings
        is_open = None in found.columns
        if not is_open:
            check_columns(found.columns, fields)
        if is_open or queries.same_file(one):
            one.state = "mapping"
            return
        one.columns = found.columns
    copy_list(one.id, register, fields, found, progress)
    # What compares the rows is planned by how many there are of each kind; the values are not looked at.
    db.session.execute(text(f"ANALYZE {ImportRow.__tablename__} (import_id, line, id_number_digest, errors, there)"))
    check_together(one, register, program_year, scope)
    mark_alike(one, register, program_year, scope)
    count_rows(one)
    one.new_people = count_new_people(one) if register.takes_on_file else 0
    one.state = "staged"


def _scope(actor: User, register: Register, program_year: ProgramYear) -> Scope:
    """Where the actor may change the register now. Raises :class:`Forbidden` for nowhere."""
    scope = scope_of(actor, register.edit_permission, program_year.program)
    if not scope.paths:
        raise Forbidden(_("You may not change this register for any union."))
    return scope


def _locked(one: Import) -> Import:
    return db.session.get_one(Import, one.id, with_for_update=True, populate_existing=True)


def _set_back(one: Import, state: str, error: str) -> None:
    one = _locked(one)
    one.state, one.error = state, error
    db.session.commit()


def _read_later(actor: User, one: Import, content: IO[bytes] | None) -> None:
    if content is not None:
        _keep(one, content)
    one.state = "reading"
    _ask(actor, one, "read")


def _ask(actor: User, one: Import, work: str) -> None:
    enqueue(
        f"imports.{work}",
        actor,
        one.org_path,
        program_year_id=one.program_year_id,
        key=f"import:{one.id}:{work}",
        args={"import_id": one.id},
    )


def _remember(actor: User, register: Register, columns: dict[str, str]) -> None:
    known = dict(queries.remembered(actor.id, register))
    values = {"user_id": actor.id, "register": register.code, "columns": known | columns}
    change = insert(ImportMapping).values(values)
    change = change.on_conflict_do_update(
        index_elements=["user_id", "register"], set_={"columns": change.excluded.columns}
    )
    db.session.execute(change.execution_options(populate_existing=True))


def _digest(content: IO[bytes]) -> bytes:
    found = hashlib.sha256()
    for block in _blocks(content):
        found.update(block)
    return found.digest()


def _keep(one: Import, content: IO[bytes]) -> None:
    with write_vault(file_of(one.id), file_keys()) as vault:
        for block in _blocks(content):
            vault.write(block)


def _blocks(content: IO[bytes]) -> Iterator[bytes]:
    content.seek(0)
    while block := content.read(256 * 1024):
        yield block


def _kept(one: Import) -> IO[bytes]:
    try:
        return open_vault(file_of(one.id), settings_of().data_keys)
    except FileNotFoundError as error:
        raise Refused(_("The uploaded file is no longer kept; please upload it again.")) from error


def _nobody_asks(_done: int, _total: int) -> None:
    """No progress where somebody waits."""
