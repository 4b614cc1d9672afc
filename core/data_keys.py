"""The data keys of an installation, each with its version: what personal data is encrypted with.

They stand in ``ZHIJIA_DATA_KEY`` (``2:...,1:...``, or one key alone, which is version 1) or in a file of mode 0600, one
a line. The newest is the one of the highest version; which one the database is encrypted with now is said by the
database (:class:`core.keys.models.KeysInUse`).
"""

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.errors import ConfigError, Refused

VARIABLE = "ZHIJIA_DATA_KEY"
#: What the first byte of a ciphertext can name.
HIGHEST = 255
_KEY = re.compile(r"(?:([0-9]{1,3}):)?([0-9a-fA-F]{64})")


@dataclass(frozen=True, slots=True)
class DataKeys:
    """Keys of 32 bytes by version, 1 to :data:`HIGHEST`; at least one, the lowest version first.

    ``chosen`` is the version that files are written with, where it is not the newest.
    """

    pairs: tuple[tuple[int, bytes], ...] = field(repr=False)
    chosen: int | None = None

    @classmethod
    def of(cls, keys: Mapping[int, bytes]) -> "DataKeys":
        """Of a mapping from version to key."""
        return cls(tuple(sorted(keys.items())))

    @classmethod
    def read(cls, text: str) -> "DataKeys":
        """Of keys as they are written down. Raises :class:`ValueError`."""
        found: dict[int, bytes] = {}
        for word in text.replace(",", " ").split():
            key = _KEY.fullmatch(word)
            version = int(key[1] or 1) if key else 0
            if key is None or not 1 <= version <= HIGHEST or version in found:
                raise ValueError("not keys of 32 bytes, each with a version of its own")
            found[version] = bytes.fromhex(key[2])
        if not found:
            raise ValueError("no key")
        return cls.of(found)

    @property
    def newest(self) -> int:
        """The highest version."""
        return self.pairs[-1][0]

    @property
    def current(self) -> int:
        """The version that is written with. Raises :class:`Refused` where there is no such key here."""
        if self.chosen is not None and self.chosen not in self:
            raise Refused(f"The data key of version {self.chosen} is in use, which this process does not know.")
        return self.chosen or self.newest

    def writing(self, version: int) -> "DataKeys":
        """The same keys, of which this one is written with."""
        return replace(self, chosen=version)

    def __iter__(self) -> Iterator[int]:
        return (version for version, _key in self.pairs)

    def __getitem__(self, version: int) -> bytes:
        return dict(self.pairs)[version]

    def without(self, version: int) -> "DataKeys":
        """All but this one. Raises :class:`Refused` when it is unknown or the only one."""
        if version not in self:
            raise Refused(f"There is no data key of version {version} here.")
        if len(self.pairs) == 1:
            raise Refused("This is the only data key; without it nothing could be read any more.")
        return DataKeys(tuple(pair for pair in self.pairs if pair[0] != version))

    def with_another(self) -> "DataKeys":
        """These and a new one. Raises :class:`Refused` when no version is left for it."""
        if self.newest == HIGHEST:
            raise Refused(f"Version {HIGHEST} is the last that a key can have.")
        return DataKeys((*self.pairs, (self.newest + 1, secrets.token_bytes(32))))

    def said(self, between: str = ",") -> str:
        """As they are written down, the newest first."""
        return between.join(f"{version}:{key.hex()}" for version, key in reversed(self.pairs))


def load_data_keys(said: str, file: Path) -> DataKeys:
    """Read the keys from what the variable says, or else from the file, which is made when missing.

    Raises :class:`ConfigError`.
    """
    text = said.strip()
    if not text:
        try:
            descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            text = file.read_text()
        else:
            text = f"1:{secrets.token_hex(32)}"
            with os.fdopen(descriptor, "w") as handle:
                handle.write(f"{text}\n")
    try:
        return DataKeys.read(text)
    except ValueError as error:
        raise ConfigError(
            f"{VARIABLE} must be 64 hexadecimal digits (32 bytes), or several of them as 2:...,1:...;"
            f" it is read from {file} when not set."
        ) from error


def save_data_keys(keys: DataKeys, file: Path) -> None:
    """Replace the file by one with these keys, whole and on the disk; a crash leaves the former one."""
    part = file.with_name(f"{file.name}.{os.getpid()}.part")
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        handle.write(keys.said("\n") + "\n")
        handle.flush()
        os.fsync(handle.fileno())
    part.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
