"""Files that hold personal data, encrypted at rest, written and read in blocks of bounded memory.

A file is a run of blocks: length (4 bytes), nonce (12 bytes), AES-256-GCM ciphertext. The block's number and whether it
is the last are authenticated with it, so that blocks cannot be reordered, dropped or cut off unseen. Before them stands
one byte, the version of the data key; files of version 1 have none, as the length of a block begins with a zero.
"""

import io
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from core.data_keys import DataKeys

BLOCK = 256 * 1024
NONCE = 12
#: A block when it is encrypted, with its tag; what says it is longer was changed.
LONGEST = BLOCK + 16
HEAD = struct.Struct(">I")
#: What a block has beside its content: length, nonce and tag.
_BESIDE = HEAD.size + NONCE + 16


def _cipher(data_key: bytes, name: str) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=b"zhijia files" + name.encode()).derive(data_key))


def version_in(head: bytes) -> int:
    """The version of the data key that a file is encrypted with, from how it begins; 0 for an empty one."""
    return (head[0] or 1) if head else 0


def _opening(head: bytes, data_keys: DataKeys, name: str) -> AESGCM:
    version = version_in(head)
    if version not in data_keys:
        raise InvalidTag
    return _cipher(data_keys[version], name)


def _label(number: int, last: bool) -> bytes:
    return struct.pack(">QB", number, last)


class _Writer:
    def __init__(self, handle: IO[bytes], cipher: AESGCM) -> None:
        self._handle, self._cipher = handle, cipher
        self._buffer = bytearray()
        self._number = 0

    def write(self, data: bytes) -> None:
        """Add bytes; whole blocks go to the disk."""
        self._buffer += data
        while len(self._buffer) > BLOCK:
            self._put(bytes(self._buffer[:BLOCK]), last=False)
            del self._buffer[:BLOCK]

    def finish(self) -> None:
        self._put(bytes(self._buffer), last=True)

    def _put(self, block: bytes, *, last: bool) -> None:
        nonce = os.urandom(NONCE)
        sealed = self._cipher.encrypt(nonce, block, _label(self._number, last))
        self._handle.write(HEAD.pack(len(sealed)) + nonce + sealed)
        self._number += 1


@contextmanager
def sealing(handle: IO[bytes], data_keys: DataKeys, name: str = "") -> Iterator[_Writer]:
    """Write encrypted blocks to an open file; the last one, without which it cannot be read, when all went well.

    ``name`` is bound into it: under another one the content does not open.
    """
    version = data_keys.current
    writer = _Writer(handle, _cipher(data_keys[version], name))
    if version > 1:
        handle.write(bytes([version]))
    yield writer
    writer.finish()


def unsealed(handle: IO[bytes], data_keys: DataKeys, name: str = "") -> Iterator[bytes]:
    """What :func:`sealing` wrote to the file, block by block.

    Raises :class:`cryptography.exceptions.InvalidTag` if it was changed or cut off.
    """
    number, head = 0, handle.read(HEAD.size)
    cipher = _opening(head, data_keys, name)
    if head[0]:
        head = head[1:] + handle.read(1)
    while True:
        if len(head) < HEAD.size:
            raise InvalidTag
        (length,) = HEAD.unpack(head)
        nonce, sealed = handle.read(NONCE), handle.read(min(length, LONGEST))
        if len(sealed) != length:
            raise InvalidTag
        head = handle.read(HEAD.size)
        yield cipher.decrypt(nonce, sealed, _label(number, last=not head))
        if not head:
            return
        number += 1


@contextmanager
def write_vault(path: Path, data_keys: DataKeys) -> Iterator[_Writer]:
    """Write a file that appears only when it is whole; a former one of the same name is replaced."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with (
            os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle,
            sealing(handle, data_keys) as writer,
        ):
            yield writer
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_vault(path: Path, data_keys: DataKeys) -> Iterator[bytes]:
    """The file's content, block by block. Raises as :func:`unsealed`."""
    with path.open("rb") as handle:
        yield from unsealed(handle, data_keys)


class _Reader(io.RawIOBase):
    """The content at any place; one block of it is held open."""

    def __init__(self, path: Path, data_keys: DataKeys) -> None:
        length = path.stat().st_size
        if length < _BESIDE:
            raise InvalidTag
        with path.open("rb") as handle:
            head = handle.read(1)
        self._cipher, self._start = _opening(head, data_keys, ""), 1 if head[0] else 0
        length -= self._start
        self._handle = path.open("rb")
        self._count = -(-length // (BLOCK + _BESIDE))
        self._size, self._at = length - self._count * _BESIDE, 0
        self._number, self._block = -1, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + offset, 0)
        return self._at

    def readinto(self, buffer: Any, /) -> int:
        number, start = divmod(self._at, BLOCK)
        if number < self._count and number != self._number:
            self._number, self._block = number, self._opened(number)
        part = self._block[start : start + len(buffer)] if number == self._number else b""
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        self._handle.close()
        super().close()

    def _opened(self, number: int) -> bytes:
        self._handle.seek(self._start + number * (BLOCK + _BESIDE) + HEAD.size)
        nonce, sealed = self._handle.read(NONCE), self._handle.read(LONGEST)
        return self._cipher.decrypt(nonce, sealed, _label(number, last=number == self._count - 1))


def open_vault(path: Path, data_keys: DataKeys) -> IO[bytes]:
    """The file's content, to be read from any place in bounded memory; to be closed.

    Opening or reading raises :class:`cryptography.exceptions.InvalidTag` where it was changed or cut off.
    """
    return io.BufferedReader(_Reader(path, data_keys))
