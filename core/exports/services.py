"""Asking for an export, making it and removing it."""

import secrets
import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import IO

from flask_babel import force_locale, get_locale
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select, update
from werkzeug.datastructures import MultiDict

from core.audit.services import record
from core.config import settings_of
from core.errors import NotFound, Refused
from core.exports.models import Export
from core.exports.queries import readable_year, too_old
from core.exports.sources import Source, source_of
from core.exports.writing import Row, write_list, write_locked
from core.extensions import db
from core.files.store import Store, store_of
from core.jobs.services import enqueue
from core.lists.columns import cell, headings
from core.lists.filters import Reading
from core.lists.queries import Asked, count_of, every_line
from core.lists.types import Column
from core.org.models import Org
from core.people.purposes import Purpose, purpose_title
from core.people.secrets import decrypt, encrypt
from core.programs.models import ProgramYear
from core.tasks.kinds import TaskKind
from core.tasks.services import notify
from core.users.models import User
from core.web.filters import local_time

#: Lines between two signs of how far the file is.
STEP = 10_000
#: No letters and digits that are taken for each other when they are copied by hand.
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
FOLDER = "exports"
READY = TaskKind(code="exports.ready", title=_l("The export “%(title)s” is ready"), endpoint="exports.show")


def ask(
    actor: User,
    source: Source,
    program_year: ProgramYear | None,
    asked: Asked,
    columns: Sequence[Column],
    kind: str,
    purpose: Purpose | None = None,
) -> Export:
    """Ask a worker for a file of what the list is narrowed down to, in these columns. ``kind`` is xlsx or csv.

    A list of people needs a ``purpose``. Raises :class:`ZhijiaError` at the field for none, or one that says nothing.
    """
    said = (purpose or Purpose("")).said() if source.listing.person_id is not None else {}
    export = Export(
        user_id=actor.id,
        org_id=actor.org_id,
        org_path=actor.org_path,
        source=source.listing.code,
        program_year_id=program_year.id if program_year else None,
        title=source.title,
        args=dict(asked.args or {}),
        sort=asked.sort,
        columns=[column.name for column in columns],
        kind=kind,
        language=str(get_locale()),
        purpose=said,
    )
    db.session.add(export)
    db.session.flush()
    job = enqueue(
        "exports.make",
        actor,
        actor.org_path,
        program_year_id=export.program_year_id,
        key=f"export:{export.id}",
        args={"export_id": export.id},
    )
    export.job_id = job.id
    record(actor, "export.ask", _subject(export), actor.org_path, list=export.source, columns=export.columns,
           **said)  # fmt: skip
    db.session.commit()
    return export


def make(export_id: int, progress: Callable[[int, int], None]) -> None:
    """Write the file, as far as whoever asked may read the list now. Safe to run again: it begins anew.

    Raises :class:`NotFound` when the list is not theirs any more, :class:`Refused` when it was asked for something
    that there no longer is.
    """
    export = db.session.get(Export, export_id)
    if export is None or export.made_at is not None:
        return
    with force_locale(export.language):
        _make(export, progress)


def _make(export: Export, progress: Callable[[int, int], None]) -> None:
    export_id = export.id
    user = db.session.get_one(User, export.user_id)
    source = source_of(user, export.source, _program_year(export, user))
    asked = Reading(source.listing, source.scope, _as_asked(export))
    if asked.failed:
        raise Refused(_("The filter of this export does not fit any more; ask for it again from the list."))
    columns = [column for column in source.listing.columns if column.name in export.columns]
    password = "".join(secrets.choice(LETTERS) for _each in range(12)) if source.listing.person_id is not None else ""
    total = count_of(source.listing, source.scope, asked.asked)
    counted = _Counted(_rows(source, asked.asked, columns), total, progress)
    name, title, kind = f"{export.title}.{export.kind}", export.title, export.kind
    mark = _mark(export, user) if password else ()

    def write(target: IO[bytes]) -> None:
        write_list(target, kind, headings(columns), counted, title, mark)

    folder = settings_of().instance
    with tempfile.TemporaryFile(dir=folder) as content:
        if password:
            write_locked(content, name, password, write, folder)
        else:
            write(content)
        size = content.tell()
        content.seek(0)
        db.session.rollback()  # the reading is over; nothing is open while the content is put away
        key = store().put(content)
    _made(export_id, key, password, counted.rows, size)


def take(actor: User, export: Export) -> Iterator[bytes]:
    """The content, block by block; that it was taken goes on record.

    Raises :class:`NotFound` when it was removed, or when the list is not theirs any more.
    """
    if export.key is None:
        raise NotFound(_("This file is not kept any more; ask for it again from the list."))
    source_of(actor, export.source, _program_year(export, actor))
    record(actor, "export.download", _subject(export), actor.org_path, list=export.source, rows=export.rows)
    db.session.commit()
    return store().read(export.key)


def password_of(export: Export) -> str | None:
    """What opens the file, for whoever asked for it; none where it is not locked."""
    return decrypt("password", export.password) if export.password else None


def remove_old() -> int:
    """Remove the contents that were kept long enough; returns how many. The row stays, for the record."""
    count = 0
    while exports := too_old():
        for export in exports:
            store().remove(export.key or "")
            export.key = export.password = None
            count += 1
        db.session.commit()
    return count


def store() -> Store:
    """Where exports lie, apart from attachments."""
    return store_of(FOLDER)


def _made(export_id: int, key: str, password: str, rows: int, size: int) -> None:
    """Say that the file is there, unless another worker has said so meanwhile."""
    sealed = encrypt("password", password) if password else None
    values = {"key": key, "password": sealed, "rows": rows, "size": size, "made_at": func.now()}
    change = update(Export).where(Export.id == export_id, Export.made_at.is_(None)).values(**values)
    taken = db.session.execute(change.returning(Export.user_id, Export.title)).one_or_none()
    if taken is not None:
        user_id, title = taken
        notify(READY, [user_id], f"export:{export_id}", data={"title": title}, address={"export_id": export_id})
    db.session.commit()
    if taken is None:
        store().remove(key)


def _mark(export: Export, user: User) -> list[tuple[str, str]]:
    """What a file of people says of itself: who had it made, where, when and what for."""
    return [
        (_("Exported by"), f"{user.name} ({user.username})"),
        (_("Union"), db.session.scalar(select(Org.name).where(Org.id == export.org_id)) or ""),
        (_("Time"), local_time(export.created_at)),
        (_("Reference"), f"{export.id}"),
        (_("What for"), purpose_title(export.purpose)),
    ]


def _program_year(export: Export, user: User) -> ProgramYear | None:
    if export.program_year_id is None:
        return None
    program_year = readable_year(user, export.program_year_id)
    if program_year is None:
        raise NotFound(_("There is no such program year, or none that you may see."))
    return program_year


def _as_asked(export: Export) -> MultiDict[str, str]:
    return MultiDict({**export.args, "sort": export.sort})


def _rows(source: Source, asked: Asked, columns: Sequence[Column]) -> Iterator[Row]:
    lines = every_line(source.listing, source.scope, asked, columns)
    return ([cell(column, line.values[column.name]) for column in columns] for line in lines)


class _Counted:
    """Rows that are counted while they pass, and say so now and then."""

    def __init__(self, rows: Iterator[Row], total: int, progress: Callable[[int, int], None]) -> None:
        self._rows, self._total, self._progress, self.rows = rows, total, progress, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._rows:
            self.rows += 1
            if self.rows % STEP == 0:
                self._progress(self.rows, self._total)
            yield row
        self._progress(self.rows, self.rows)


def _subject(export: Export) -> str:
    return f"export:{export.id}"
