"""The store: encrypted, whole or not at all, in a folder or wherever fsspec reaches."""

import io
import os
from pathlib import Path
from typing import IO

import pytest
from cryptography.exceptions import InvalidTag

from core.data_keys import DataKeys
from core.files.store import ATTACHMENTS, Store
from core.files.vault import BLOCK, sealing, unsealed
from tests.files.conftest import stored

KEY = DataKeys.of({1: b"k" * 32})
BODY = os.urandom(BLOCK * 2 + 17)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, store_path: Path) -> Store:
    """A store of each sort."""
    return Store(str(store_path) if request.param == "folder" else f"memory://{store_path}", KEY)


@pytest.mark.parametrize("size", [0, 1, BLOCK, BLOCK + 1, len(BODY)])
def test_what_is_put_in_comes_out(store: Store, size: int) -> None:
    key = store.put(io.BytesIO(BODY[:size]))
    assert b"".join(store.read(key)) == BODY[:size]
    assert len(key) == 40
    assert list(store.folders()) == [[key]]
    assert 0 <= store.age(key) < 60
    store.remove(key)
    store.remove(key)
    assert [names for names in store.folders() if names] == []
    with pytest.raises(FileNotFoundError):
        next(store.read(key))


def test_a_store_that_has_nothing_yet_has_no_folders(store: Store) -> None:
    assert list(store.folders()) == []
    assert store.age("gone") == 0


def test_what_lies_there_cannot_be_read_without_the_key(store_path: Path) -> None:
    store = Store(str(store_path), KEY)
    key = store.put(io.BytesIO(b"610102198505050018" * 10))
    path = store_path / ATTACHMENTS / key[:2] / key
    assert b"610102" not in path.read_bytes()
    with pytest.raises(InvalidTag):
        next(Store(str(store_path), DataKeys.of({1: b"x" * 32})).read(key))


def test_contents_cannot_be_exchanged_shortened_or_changed(store_path: Path) -> None:
    store = Store(str(store_path), KEY)
    first, second = store.put(io.BytesIO(BODY)), store.put(io.BytesIO(b"another"))
    paths = {key: store_path / ATTACHMENTS / key[:2] / key for key in (first, second)}
    body, other = paths[first].read_bytes(), paths[second].read_bytes()
    block = BLOCK + 32
    bad = [
        other,
        body[:block],
        body[:-1],
        body[: block + 2],
        body[:9],
        body[:3],
        b"",
        b"nonsense" * 9,
        body[block:],
        body[:99] + b"x" + body[100:],
    ]
    for content in [*bad, body + b"12345"]:
        paths[first].write_bytes(content)
        with pytest.raises(InvalidTag):
            b"".join(store.read(first))
    paths[first].write_bytes(body)
    assert b"".join(store.read(first)) == BODY


def test_a_content_that_breaks_off_leaves_nothing(store: Store, store_path: Path) -> None:
    class Breaks(io.BytesIO):
        def read(self, _size: int | None = -1) -> bytes:
            if self.tell():
                raise ConnectionResetError
            self.seek(1)
            return BODY

    with pytest.raises(ConnectionResetError):
        store.put(Breaks())
    assert [names for names in store.folders() if names] == []


def test_nothing_stands_under_the_key_before_it_is_whole(store_path: Path) -> None:
    store, seen = Store(str(store_path), KEY), list[set[str]]()

    class Watched(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            seen.append(stored(store_path))
            return super().read(size)

    key = store.put(Watched(BODY))
    assert {name for names in seen for name in names} == {f"{key}.part"}
    assert stored(store_path) == {key}


def test_blocks_that_are_written_without_an_end_cannot_be_read() -> None:
    target: IO[bytes] = io.BytesIO()
    with pytest.raises(RuntimeError), sealing(target, KEY) as writer:
        writer.write(BODY)
        raise RuntimeError
    target.seek(0)
    with pytest.raises(InvalidTag):
        b"".join(unsealed(target, KEY))
