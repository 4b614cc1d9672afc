"""The background jobs of files. Each is safe to run again."""

import io
from collections.abc import Callable, Iterable
from datetime import timedelta

import structlog
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, update

from core.audit.services import SYSTEM
from core.extensions import db
from core.files import queries
from core.files.models import File
from core.files.services import withdraw
from core.files.store import Store, store_of
from core.files.thumbnails import NoThumbnail, make_thumbnail
from core.jobs.context import JobContext
from core.plugin.registry import registry_of
from core.plugin.types import JobSpec

#: How long a content may lie there before some row names it: far longer than any upload takes.
PATIENCE = timedelta(days=1)
log = structlog.get_logger()


def make_thumbnail_of(_context: JobContext, *, file_id: int) -> None:
    """Make the small picture of an image, unless it has one or was removed; a strange image keeps its icon."""
    file = db.session.get(File, file_id)
    if file is None or file.key is None or file.thumbnail_key is not None:
        return
    store, key = store_of(), file.key
    db.session.rollback()  # no transaction is open while the image is unpacked
    try:
        small = make_thumbnail(io.BytesIO(b"".join(store.read(key))))
    except NoThumbnail as reason:
        log.info("no thumbnail", file=file_id, reason=str(reason))
        return
    made = store.put(io.BytesIO(small))
    same = (File.id == file_id, File.key == key, File.thumbnail_key.is_(None))
    taken = db.session.scalars(update(File).where(*same).values(thumbnail_key=made).returning(File.id)).one_or_none()
    db.session.commit()
    if taken is None:  # removed meanwhile, or made by another worker
        store.remove(made)


def discard(_context: JobContext, *, keys: list[str]) -> None:
    """Take away the contents of files that were removed."""
    store = store_of()
    for key in keys:
        store.remove(key)


def tidy(_context: JobContext) -> None:
    """Remove the files whose record is gone, and the contents that no row names: a crash or an erasing left them."""
    for register in registry_of().registers.values():
        withdraw(SYSTEM, queries.left_alone(register, File.created_at < func.now() - PATIENCE))
        db.session.commit()
    remove_strays(store_of(), queries.named_keys)


def remove_strays(store: Store, named_keys: Callable[[Iterable[str]], set[str]]) -> None:
    """Remove the contents that no row names and that are older than anything still being written."""
    for names in store.folders():
        named = named_keys(names)
        db.session.rollback()
        for name in names:
            if name not in named and store.age(name) > PATIENCE.total_seconds():
                log.warning("stray content removed", key=name)
                store.remove(name)


JOBS = [
    JobSpec(
        name="files.thumbnail", title=_l("Make a small picture"), func=make_thumbnail_of, queue="bulk", patience=120
    ),
    JobSpec(name="files.discard", title=_l("Remove the contents of files"), func=discard, queue="bulk"),
    JobSpec(
        name="files.tidy",
        title=_l("Tidy up files"),
        sees_all="it removes what no row names, so it must know every row",
        func=tidy,
        queue="bulk",
        schedule="30 3 * * *",
    ),
]
