"""The head of each book, written down once a day where an administrator of the database cannot rewrite it.

A line is a day: how long each book was and the digest of its last entry. Each line holds the digest of the one before
it, and a code (HMAC-SHA256) of a key that is derived from the data key, which the database does not know. Who rewrites
the chain in the database, all digests included, cannot make it meet these lines again. Lines cut off at the end of the
file are not missed by what is left; the nightly check says when the last one is old.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask_babel import gettext as _
from fsspec.core import url_to_fs
from sqlalchemy import text

from core.errors import Refused
from core.extensions import db
from core.files.store import to_disk
from core.ledger.posting import FIRST
from core.ledger.verify import Finding

FILE = "heads.jsonl"
#: What the first line says of the one before it.
NOTHING = "0" * 64
_HEADS = text(
    "SELECT head.book, head.seq, encode(head.digest, 'hex') AS digest,"
    " (SELECT count(*) FROM core_entry entry WHERE entry.book = head.book) AS entries"
    " FROM core_chain_head head ORDER BY head.book"
)


@dataclass(frozen=True)
class Line:
    """One line of the file: its day, the heads by book (``seq``, ``digest``, ``entries``), and where it stands."""

    number: int
    day: date
    books: Mapping[str, Mapping[str, Any]]
    digest: str


def heads_now() -> dict[str, dict[str, Any]]:
    """The head of every book."""
    return {
        row.book: {"seq": row.seq, "digest": row.digest, "entries": row.entries} for row in db.session.execute(_HEADS)
    }


def export_heads(place: str, data_key: bytes, day: date) -> bool:
    """Append the heads of the day to the file in the folder ``place``, once a day; whether it did.

    Raises :class:`Refused` if the file does not end with a line of ours, :class:`OSError` if it cannot be written.
    """
    fs, root = url_to_fs(place)
    path = file_of(root)
    fs.makedirs(root, exist_ok=True)
    wrong, lines = _read(fs, path, data_key) if fs.exists(path) else ([], [])
    if wrong:
        raise Refused(_("The heads cannot be added to the file: %(reason)s", reason=wrong[-1]))
    if lines and lines[-1].day >= day:
        return False
    content = {"day": day.isoformat(), "books": heads_now(), "previous": lines[-1].digest if lines else NOTHING}
    said = _said(content | {"code": _code(content, data_key)}) + b"\n"
    with fs.open(path, "ab") as handle:
        handle.write(said)
        to_disk(handle)
    return True


def verify_heads(place: str, data_key: bytes, *, expected: date | None = None) -> Iterator[Finding]:
    """Whether the chain in the database still has every head that was exported, and the file is whole.

    ``place`` is the file, or the folder it lies in. With ``expected`` its last line must be of that day or later.
    Raises :class:`OSError` if there is no file.
    """
    fs, path = url_to_fs(place)
    if fs.isdir(path):
        path = file_of(path)
    wrong, lines = _read(fs, path, data_key)
    for sentence in wrong:
        yield Finding("chain", sentence)
    if expected is not None and (not lines or lines[-1].day < expected):
        last = lines[-1].day.isoformat() if lines else "-"
        yield Finding("chain", _("The heads were exported on %(day)s for the last time.", day=last))
    yield from _compare(lines)


def file_of(folder: str) -> str:
    """The file in its folder."""
    return f"{folder.rstrip('/')}/{FILE}"


def _compare(lines: Sequence[Line]) -> Iterator[Finding]:
    """The exported heads that are not in the chain any more."""
    heads = {(book, head["seq"]) for line in lines for book, head in line.books.items()}
    names = {"books": [book for book, _seq in heads], "seqs": [seq for _book, seq in heads]}
    rows = db.session.execute(_THERE, names)
    there = {(book, seq): digest for book, seq, digest in rows}
    for line in lines:
        for book, head in sorted(line.books.items()):
            digest = there.get((book, head["seq"])) if head["seq"] else FIRST.hex()
            if digest != head["digest"]:
                said = _(
                    "Book %(book)s was rewritten: its entry %(seq)s is not the one of %(day)s.",
                    book=book,
                    day=line.day.isoformat(),
                    seq=head["seq"],
                )
                yield Finding("chain", said)


_THERE = text(
    "SELECT entry.book, entry.seq, encode(entry.digest, 'hex') FROM core_entry entry"
    " JOIN unnest(CAST(:books AS text[]), CAST(:seqs AS bigint[])) AS head (book, seq) USING (book, seq)"
)


def _read(fs: Any, path: str, data_key: bytes) -> tuple[list[str], list[Line]]:
    """What is wrong with the file, and its lines that are ours."""
    wrong, lines = [], []
    previous = NOTHING
    with fs.open(path, "rb") as handle:
        for number, said in enumerate(handle, start=1):
            digest = hashlib.sha256(said.rstrip(b"\n")).hexdigest()
            content = _content(said, data_key)
            if content is None:
                wrong.append(
                    _("Line %(line)s of the file of heads was changed, or is of another data key.", line=number)
                )
            else:
                if content["previous"] != previous:
                    wrong.append(
                        _("Line %(line)s of the file of heads does not follow the one before it.", line=number)
                    )
                lines.append(Line(number, date.fromisoformat(content["day"]), content["books"], digest))
            previous = digest
    return wrong, lines


def _content(said: bytes, data_key: bytes) -> dict[str, Any] | None:
    """What a line says, if it is one of ours: whole, and with the right code."""
    try:
        content = json.loads(said)
        code = content.pop("code")
        right = said.endswith(b"\n") and hmac.compare_digest(code, _code(content, data_key))
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return content if right else None


def _code(content: Mapping[str, Any], data_key: bytes) -> str:
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zhijia heads 1").derive(data_key)
    return hmac.new(key, _said(content), hashlib.sha256).hexdigest()


def _said(content: Mapping[str, Any]) -> bytes:
    """The same content is the same bytes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
