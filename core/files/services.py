"""Taking files in, handing them out and removing them, each with its line in the audit trail.

The content is in the store before its row is committed, and goes only after the row says so: a crash between leaves a
content that nobody knows, never a row without content.
"""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from typing import IO

import structlog
from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _
from sqlalchemy import func, select

from core.audit.services import Actor, record
from core.config import MEGABYTE, settings_of
from core.errors import Refused, ZhijiaError
from core.extensions import db, whole
from core.files.kinds import Kind, clean_name, kind_of
from core.files.models import File
from core.files.records import Record
from core.files.store import store_of
from core.files.vault import BLOCK
from core.jobs.services import enqueue
from core.plugin import hooks
from core.users.access import require
from core.users.models import User

#: Files that one record may have.
MOST_FILES = 50
log = structlog.get_logger()


def attach(actor: User, to: Record, name: str, content: IO[bytes]) -> File:
    """Attach a file to the record. ``content`` can be read from its beginning again.

    Raises :class:`Forbidden`, and :class:`ZhijiaError` at ``file``: empty, too large, of a kind that is not taken or
    that its name denies, not clean or not checked, attached already, or one too many.
    """
    require(actor, to.edit_permission, to.org_path, to.program)
    name = clean_name(name)
    size, digest = _measured(content)
    kind = kind_of(name, content)
    found = hooks.scan_file(content, name)
    if found:
        log.warning("upload refused", subject=to.subject, found=found)
        raise Refused(
            _("The file was not taken, as a virus was found in it: %(names)s", names="、".join(found)), field="file"
        )
    content.seek(0)
    key = _stored(content)
    try:
        with whole():
            return _written(actor, to, name, kind, size, digest, key)
    except ZhijiaError:  # after anything else the row may stand all the same, and a stray goes by itself
        with suppress(OSError):
            store_of().remove(key)
        raise


def remove(actor: User, to: Record, file: File) -> None:
    """Remove a file of the record: the content goes, the row stays. Raises :class:`Forbidden`."""
    require(actor, to.edit_permission, to.org_path, to.program)
    with whole():
        withdraw(actor, [file])
        db.session.commit()


def withdraw(actor: Actor, files: Iterable[File]) -> None:
    """Mark files as removed, on record, in the caller's transaction; a job takes their contents away after it."""
    for file in files:
        db.session.refresh(file, with_for_update=True)  # somebody else may remove it, a job may add its thumbnail
        if file.removed_at is not None:
            continue
        keys = [key for key in (file.key, file.thumbnail_key) if key]
        file.key = file.thumbnail_key = None
        file.removed_at = func.now()
        enqueue("files.discard", actor, file.org_path, args={"keys": keys})
        record(actor, "file.remove", file.subject, file.org_path, file=file.id)


def download(actor: User, to: Record, file: File) -> Iterator[bytes]:
    """The content of a file of the record, block by block, and the download on record.

    Raises :class:`Forbidden`, and :class:`Refused` if the content is gone or is not the one that was attached.
    """
    require(actor, to.view_permission, to.org_path, to.program)
    blocks = _opened(file.key or "")
    record(actor, "file.download", file.subject, file.org_path, file=file.id)
    db.session.commit()
    return blocks


def thumbnail(actor: User, to: Record, file: File) -> Iterator[bytes]:
    """The small picture (JPEG) of a file that has one. Raises as :func:`download`."""
    require(actor, to.view_permission, to.org_path, to.program)
    return _opened(file.thumbnail_key or "")


def _measured(content: IO[bytes]) -> tuple[int, bytes]:
    """Size in bytes and SHA-256. Raises :class:`ZhijiaError` for nothing at all and for too much."""
    size, digest, largest = 0, hashlib.sha256(), settings_of().largest_file
    content.seek(0)
    while block := content.read(BLOCK):
        size += len(block)
        if size > largest:
            limit = largest // MEGABYTE
            raise ZhijiaError(
                _("The file is larger than %(limit)s MB; please make it smaller.", limit=limit), field="file"
            )
        digest.update(block)
    if not size:
        raise ZhijiaError(_("The file is empty."), field="file")
    return size, digest.digest()


def _stored(content: IO[bytes]) -> str:
    try:
        return store_of().put(content)
    except OSError as error:
        log.exception("file not stored", error=repr(error))
        raise Refused(
            _("The file could not be stored. Try again later, or tell the administrator."), field="file"
        ) from error


def _written(actor: User, to: Record, name: str, kind: Kind, size: int, digest: bytes, key: str) -> File:
    """The row of a stored content; files of one record come one after the other, so that they can be counted."""
    db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"core_file:{to.subject}", 0))))
    present = select(File.name, File.digest).where(File.subject == to.subject, File.removed_at.is_(None))
    names = {row.digest: row.name for row in db.session.execute(present)}
    if digest in names:
        raise Refused(_("The same file is attached already, as “%(name)s”.", name=names[digest]), field="file")
    if len(names) >= MOST_FILES:
        raise Refused(_("An entry can have %(most)s files; remove one first.", most=MOST_FILES), field="file")
    file = File(
        subject=to.subject, org_id=to.org_id, org_path=to.org_path, program_year_id=to.program_year_id,
        person_id=to.person_id, name=name, kind=kind.mime, size=size, digest=digest, key=key, user_id=actor.id,
    )  # fmt: skip
    db.session.add(file)
    db.session.flush()
    record(actor, "file.attach", to.subject, to.org_path, file=file.id, kind=kind.mime, size=size)
    if kind.is_image:
        enqueue("files.thumbnail", actor, to.org_path, args={"file_id": file.id})
    db.session.commit()
    return file


def _opened(key: str) -> Iterator[bytes]:
    blocks = store_of().read(key)
    try:
        first = next(blocks)
    except (OSError, InvalidTag) as error:
        log.exception("file not readable", key=key)
        raise Refused(_("The file is damaged or no longer there. Tell the administrator.")) from error
    return chain((first,), blocks)
