"""Encrypted files that are read from any place."""

import io
import random
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidTag

from core.data_keys import DataKeys
from core.files.vault import BLOCK, open_vault, read_vault, write_vault

KEY = DataKeys.of({1: b"k" * 32})


def kept(path: Path, content: bytes) -> Path:
    with write_vault(path, KEY) as vault:
        vault.write(content)
    return path


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 7])
def test_any_part_of_a_file_is_what_was_written(tmp_path: Path, size: int) -> None:
    content = random.Random(size).randbytes(size)  # noqa: S311  # not for secrets
    path, chance = kept(tmp_path / "a", content), random.Random(1)  # noqa: S311  # the same
    assert b"".join(read_vault(path, KEY)) == content
    with open_vault(path, KEY) as handle:
        assert handle.read() == content
        assert handle.seek(0, io.SEEK_END) == size
        assert handle.read(1) == b""
        for _part in range(50):
            start, length = chance.randrange(size + 10), chance.randrange(2 * BLOCK)
            handle.seek(start)
            assert handle.read(length) == content[start : start + length]
        handle.seek(-min(size, 5), io.SEEK_END)
        assert handle.read() == content[size - min(size, 5) :]


def test_a_file_that_was_changed_or_cut_off_or_has_another_key_is_not_read(tmp_path: Path) -> None:
    path = kept(tmp_path / "a", b"x" * (2 * BLOCK + 5))
    whole = path.read_bytes()
    length = BLOCK + 32
    moved = whole[length : 2 * length] + whole[:length] + whole[2 * length :]
    for damaged in (whole[: 2 * length], whole[:length], whole[:-1], whole[:-1] + b"y", moved, b""):
        path.write_bytes(damaged)
        with pytest.raises(InvalidTag), open_vault(path, KEY) as handle:
            handle.read()
    path.write_bytes(whole)
    with pytest.raises(InvalidTag), open_vault(path, DataKeys.of({1: b"o" * 32})) as handle:
        handle.read(1)
