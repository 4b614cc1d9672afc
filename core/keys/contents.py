"""Files that are encrypted with a data key: attachments and exports in the store, and what lies beside them."""

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

from cryptography.exceptions import InvalidTag
from fsspec.core import url_to_fs

from core.config import settings_of
from core.files.store import to_disk
from core.files.vault import sealing, unsealed, version_in

#: Folders of the store, whose contents are bound to their names, and of the instance.
STORED, BESIDE = ("attachments", "exports"), ("bank", "returns", "imports")


class Content(NamedTuple):
    """One encrypted file. ``name`` is what is bound into it."""

    fs: Any
    path: str
    name: str

    def version(self) -> int:
        """The version of its key; 0 when it has gone meanwhile."""
        with suppress(FileNotFoundError), self.fs.open(self.path, "rb") as handle:
            return version_in(handle.read(1))
        return 0


def contents() -> Iterator[Content]:
    """Every encrypted file that is whole."""
    settings = settings_of()
    fs, root = url_to_fs(settings.files_url or str(settings.files))
    for folder in STORED:
        for path in _files(fs, f"{root.rstrip('/')}/{folder}"):
            yield Content(fs, path, path.rpartition("/")[2])
    fs, root = url_to_fs(str(settings.files))
    for folder in BESIDE:
        for path in _files(fs, f"{root}/{folder}"):
            yield Content(fs, path, "")


def versions() -> Counter[int]:
    """How many files there are of each version."""
    return Counter(version for content in contents() if (version := content.version()))


def rewrite(content: Content) -> bool:
    """Encrypt the file with the newest key, unless it is; whether it could be read. A crash leaves the former one."""
    keys = settings_of().data_keys
    if content.version() in (0, keys.newest):
        return True
    part = f"{content.path}.{os.getpid()}.part"
    try:
        with content.fs.open(content.path, "rb") as source, content.fs.open(part, "wb") as target:
            with sealing(target, keys.writing(keys.newest), content.name) as sealed:
                for block in unsealed(source, keys, content.name):
                    sealed.write(block)
            to_disk(target)
        if content.fs.exists(content.path):  # else it was removed meanwhile, and stays so
            content.fs.mv(part, content.path)
    except FileNotFoundError:
        return True
    except InvalidTag:
        return False
    finally:
        with suppress(OSError):
            content.fs.rm(part)
    return True


def _files(fs: Any, root: str) -> Iterator[str]:
    with suppress(FileNotFoundError):
        for path in fs.find(root):
            if not path.endswith(".part"):
                yield path
