"""The heads of books and audit trail, written down once a day where an administrator of the database cannot rewrite
them.

A line is a day: how long each book was and the digest of its last entry, and the newest block of the audit trail, which
lines of before it was sealed do not have. Each line holds the digest of the one before it, and a code (HMAC-SHA256) of
a key that is derived from the data key, which the database does not know. Who rewrites
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

from core.audit.sealing import FIRST as NO_BLOCK
from core.audit.sealing import head as newest_block
from core.audit.sealing import seal
from core.data_keys import DataKeys
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
    """One line of the file: its day, the heads by book (``seq``, ``digest``, ``entries``), where it stands, and the
    newest block of the audit trail (``no``, ``digest``) where it says one.
    """

    number: int
    day: date
    books: Mapping[str, Mapping[str, Any]]
    digest: str
    audit: Mapping[str, Any] | None = None


def heads_now() -> dict[str, dict[str, Any]]:
    """The head of every book."""
    return {
        row.book: {"seq": row.seq, "digest": row.digest, "entries": row.entries} for row in db.session.execute(_HEADS)
    }


def export_heads(place: str, data_keys: DataKeys, day: date) -> bool:
    """Append the heads of the day to the file in the folder ``place``, once a day; whether it did.

    Raises :class:`Refused` if the file does not end with a line of ours, :class:`OSError` if it cannot be written.
    """
    fs, root = url_to_fs(place)
    path = file_of(root)
    fs.makedirs(root, exist_ok=True)
    wrong, lines = _read(fs, path, data_keys) if fs.exists(path) else ([], [])
    if wrong:
        raise Refused(_("The heads cannot be added to the file: %(reason)s", reason=wrong[-1]))
    if lines and lines[-1].day >= day:
        return False
    seal()
    previous = lines[-1].digest if lines else NOTHING
    content = {
        "day": day.isoformat(), "books": heads_now(), "audit": newest_block()._asdict(), "previous": previous,
        "key": data_keys.newest,
    }  # fmt: skip
    said = _said(content | {"code": _code(content, data_keys)}) + b"\n"
    with fs.open(path, "ab") as handle:
        handle.write(said)
        to_disk(handle)
    return True


def verify_heads(place: str, data_keys: DataKeys, *, expected: date | None = None) -> Iterator[Finding]:
    """Whether the chain in the database still has every head that was exported, and the file is whole.

    ``place`` is the file, or the folder it lies in. With ``expected`` its last line must be of that day or later.
    Raises :class:`OSError` if there is no file.
    """
    fs, path = url_to_fs(place)
    if fs.isdir(path):
        path = file_of(path)
    wrong, lines = _read(fs, path, data_keys)
    for sentence in wrong:
        yield Finding("chain", sentence)
    if expected is not None and (not lines or lines[-1].day < expected):
        last = lines[-1].day.isoformat() if lines else "-"
        yield Finding("chain", _("The heads were exported on %(day)s for the last time.", day=last))
    yield from _compare(lines)
    yield from _compare_audit(lines)


def last_key(place: str) -> int | None:
    """The version of the data key that the last exported line is made with; none where there is none."""
    fs, path = url_to_fs(place)
    path = file_of(path) if fs.isdir(path) else path
    if not fs.exists(path):
        return None
    with fs.open(path, "rb") as handle:
        lines = handle.read().splitlines()
    return _version(json.loads(lines[-1])) if lines else None


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


def _compare_audit(lines: Sequence[Line]) -> Iterator[Finding]:
    """The exported blocks of the audit trail that are not in it any more."""
    told = [(line.day, line.audit) for line in lines if line.audit is not None]
    rows = db.session.execute(_SEALS, {"numbers": [block["no"] for _day, block in told]})
    there = {0: NO_BLOCK.hex()} | {no: digest for no, digest in rows}  # noqa: C416 - rows are no pairs to mypy
    for day, block in told:
        if there.get(block["no"]) != block["digest"]:
            said = _("The audit trail was rewritten: its block %(no)s is not the one of %(day)s.",
                     no=block["no"], day=day.isoformat())  # fmt: skip
            yield Finding("audit", said)


_SEALS = text("SELECT no, encode(digest, 'hex') FROM core_audit_seal WHERE no = ANY(CAST(:numbers AS bigint[]))")
_THERE = text(
    "SELECT entry.book, entry.seq, encode(entry.digest, 'hex') FROM core_entry entry"
    " JOIN unnest(CAST(:books AS text[]), CAST(:seqs AS bigint[])) AS head (book, seq) USING (book, seq)"
)


def _read(fs: Any, path: str, data_keys: DataKeys) -> tuple[list[str], list[Line]]:
    """What is wrong with the file, and its lines that are ours.

    The code of a line whose data key is no longer kept cannot be computed. A later line that has the right code vouches
    for it, as it names the digest of the line before.
    """
    wrong, lines = [], []
    unvouched: list[int] = []
    previous = NOTHING
    with fs.open(path, "rb") as handle:
        for number, said in enumerate(handle, start=1):
            digest = hashlib.sha256(said.rstrip(b"\n")).hexdigest()
            content = _content(said, data_keys)
            if content is None:
                wrong.append(_strange(number))
            else:
                unvouched = [] if _version(content) in data_keys else [*unvouched, number]
                if content["previous"] != previous:
                    wrong.append(
                        _("Line %(line)s of the file of heads does not follow the one before it.", line=number)
                    )
                day = date.fromisoformat(content["day"])
                lines.append(Line(number, day, content["books"], digest, content.get("audit")))
            previous = digest
    return wrong + [_strange(number) for number in unvouched], lines


def _strange(number: int) -> str:
    sentence: str = _("Line %(line)s of the file of heads was changed, or is of another data key.", line=number)
    return sentence


def _content(said: bytes, data_keys: DataKeys) -> dict[str, Any] | None:
    """What a line says, if it is one of ours: whole, and with the right code, as far as its data key is kept."""
    try:
        content = json.loads(said)
        code = content.pop("code")
        known = _version(content) in data_keys
        right = said.endswith(b"\n") and (not known or hmac.compare_digest(code, _code(content, data_keys)))
    except (ValueError, KeyError, AttributeError, TypeError):
        return None
    return content if right else None


def _code(content: Mapping[str, Any], data_keys: DataKeys) -> str:
    data_key = data_keys[_version(content)]
    key = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"zhijia heads 1").derive(data_key)
    return hmac.new(key, _said(content), hashlib.sha256).hexdigest()


def _version(content: Mapping[str, Any]) -> int:
    """The version of the data key that the line's code is made with; older lines name none."""
    return int(content.get("key", 1))


def _said(content: Mapping[str, Any]) -> bytes:
    """The same content is the same bytes."""
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()
