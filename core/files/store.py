"""Where the contents of attachments lie: a folder, or whatever else fsspec reaches (``ZHIJIA_FILES``), encrypted.

A content has a key of random letters, which is bound into it, and appears under it only when it is whole. It is
written before its row is committed and goes after the row says so: what a crash leaves over is a stray, which a nightly
job removes.
"""

import io
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import IO, Any

from fsspec.core import url_to_fs

from core.config import settings_of
from core.data_keys import DataKeys
from core.files.vault import BLOCK, sealing, unsealed
from core.keys.queries import file_keys

#: The part of the store that attachments lie in; others lie beside it.
ATTACHMENTS = "attachments"


class Store:
    """Contents by key, in one folder. Whatever the file system cannot do is an :class:`OSError`."""

    def __init__(self, url: str, data_keys: DataKeys, folder: str = ATTACHMENTS) -> None:
        self._fs: Any
        self._fs, root = url_to_fs(url)
        self._root = f"{root.rstrip('/')}/{folder}"
        self._data_keys = data_keys

    def put(self, content: IO[bytes]) -> str:
        """Write the content, from where it stands to its end, and return its key."""
        key = secrets.token_hex(20)
        path = self._path(key)
        part = f"{path}.part"
        self._fs.makedirs(path.rpartition("/")[0], exist_ok=True)
        try:
            with self._fs.open(part, "wb") as handle:
                with sealing(handle, self._data_keys, key) as sealed:
                    while block := content.read(BLOCK):
                        sealed.write(block)
                to_disk(handle)
            self._fs.mv(part, path)
        except BaseException:
            with suppress(OSError):
                self._fs.rm(part)
            raise
        return key

    def read(self, key: str) -> Iterator[bytes]:
        """The content, block by block. Raises as :func:`core.files.vault.unsealed`, and :class:`OSError`."""
        with self._fs.open(self._path(key), "rb") as handle:
            yield from unsealed(handle, self._data_keys, key)

    def remove(self, key: str) -> None:
        """Take the content away, if it is there."""
        with suppress(FileNotFoundError):
            self._fs.rm(self._path(key))

    def folders(self) -> Iterator[list[str]]:
        """The names of all contents, whole or not, a folder at a time: some thousand of a million."""
        for folder in self._listed(self._root):
            yield [path.rpartition("/")[2] for path in self._listed(folder)]

    def age(self, name: str) -> float:
        """Seconds since the content of that name (whole or not) was written; none when it has gone meanwhile."""
        try:
            written: datetime = self._fs.modified(self._path(name))
        except FileNotFoundError:
            return 0
        return (datetime.now(UTC) - (written if written.tzinfo else written.replace(tzinfo=UTC))).total_seconds()

    def _path(self, key: str) -> str:
        return f"{self._root}/{key[:2]}/{key}"

    def _listed(self, folder: str) -> list[str]:
        with suppress(FileNotFoundError):
            return list(self._fs.ls(folder, detail=False))
        return []


def store_of(folder: str = ATTACHMENTS) -> Store:
    """A part of the store of this installation."""
    settings = settings_of()
    return Store(settings.files_url or str(settings.files), file_keys(), folder)


def to_disk(handle: IO[bytes]) -> None:
    """Past the memory of the machine, where there is a disk: the row that names the content is durable, too."""
    handle.flush()
    with suppress(io.UnsupportedOperation, AttributeError):
        os.fsync(handle.fileno())
