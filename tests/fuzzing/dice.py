"""What is thrown at a page: the values of a form as its page shows it, one or two of them replaced by what nobody
types.
Each request is a :class:`Throw`, drawn by Hypothesis from a seed of its own, so that a fault can be thrown again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from hypothesis import strategies as st

from tests.fuzzing.reading import Box

#: Texts that a page has been known to stumble over.
NASTY = (
    "",
    " ",
    "\0",
    "a\0b",
    "\ud800",
    "\udfff\ud800",
    "\u202etxt.exe",
    "\u200b",
    "\ufeff",
    "\uffff",
    "\U0010ffff",
    "é" * 3000,
    "长" * 20_000,
    "-1",
    "0",
    "00",
    "1.5",
    "1e309",
    "-1e309",
    "1e-9",
    "NaN",
    "Infinity",
    "-Infinity",
    "١٢",
    "１２",
    "²",
    "9" * 19,
    "-" + "9" * 19,
    str(2**31),
    str(2**63 - 1),
    str(2**63),
    "9" * 400,
    "0x10",
    "1_000",
    "+1",
    "1,000.00",
    "12345678901234567.89",
    "0.001",
    "0000-00-00",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "2014-02-30",
    "2014-13-01",
    "2014-01",
    "2014-W01",
    "24:00",
    "9999-12",
    "0000-01",
    "true",
    "null",
    "None",
    "[]",
    "{}",
    "[[[[",
    '{"a": 1}',
    "a,b",
    "a;b",
    "a:b",
    ":",
    "/61/:x",
    "/61/:9",
    "-",
    "--",
    "-id",
    "id",
    "a.b",
    "..",
    "../../etc/passwd",
    "%",
    "_",
    "%%",
    "\\",
    "%00",
    "%s",
    "{0}",
    "{{7*7}}",
    "'",
    "''",
    '"',
    "';--",
    "1 OR 1=1",
    "x' OR 'x'='x",
    "<script>",
    "=1+1",
    "\r\n",
    "a\r\nSet-Cookie: a=b",
    "\t",
    "x" * 300,
    "61",
    "610102",
    "6101020010200000000",
    "13800000000",
    "610102196001010020",
    "on",
    "y",
    "1",
)
#: Names that no form has, or that only the house itself fills in.
STRANGE = (
    "id",
    "org_id",
    "org_path",
    "state",
    "created_by",
    "amount_fen",
    "",
    "\0",
    "a[b]",
    "__class__",
    "csrf_token",
    "_method",
    "x" * 500,
    "sort",
    "after",
    "before",
    "text",
    "org",
    "totals",
    "person",
    "by",
    "compare",
    "next",
    "list",
    "in",
    "row",
    "seen",
    "page",
    "limit",
    "q",
    "year",
)
#: Kinds of body: as the page sends it, with files, and three that no page sends.
URLENCODED, MULTIPART, JSON, NOTHING, BROKEN = "urlencoded", "multipart", "json", "nothing", "broken"
FILES = (
    b"",
    b"PK\x03\x04",
    b"\xff\xfe",
    b"%PDF-1.4\n",
    b"a,b\n\xff\xfe,1\n",
    b"\0" * 2000,
    b"PK\x05\x06" + bytes(18),
    b"<a/>",
)
BOUNDARY = "zq-boundary-q"

texts = st.sampled_from(NASTY) | st.text(max_size=40) | st.integers().map(str) | st.floats().map(str)
names = st.sampled_from(STRANGE) | st.text(max_size=10)


@dataclass(frozen=True)
class Throw:
    """One request: what stands in the address behind the question mark, and the body."""

    path: str
    query: str
    kind: str
    pairs: tuple[tuple[str, str | bytes], ...]

    @property
    def url(self) -> str:
        """The address."""
        return f"{self.path}?{self.query}" if self.query else self.path

    def body(self) -> tuple[bytes, str]:
        """The body and its content type."""
        if self.kind == MULTIPART:
            return _multipart(self.pairs), f"multipart/form-data; boundary={BOUNDARY}"
        if self.kind == JSON:
            return b'{"a": [1, null', "application/json"
        if self.kind == BROKEN:
            return f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=".encode(), "multipart/form-data"
        return encoded(self.pairs).encode(), "application/x-www-form-urlencoded"


def encoded(pairs: Sequence[tuple[str, str | bytes]]) -> str:
    """As in an address; a surrogate alone becomes three bytes that are no text."""
    return "&".join(f"{_quoted(name)}={_quoted(value)}" for name, value in pairs)


def _quoted(value: str | bytes) -> str:
    return quote(_bytes(value), safe="")


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")


def _multipart(pairs: Sequence[tuple[str, str | bytes]]) -> bytes:
    parts = []
    for name, value in pairs:
        file = b'; filename="a.xlsx"\r\nContent-Type: text/html' if isinstance(value, bytes) else b""
        named = _bytes(name).replace(b'"', b"%22").replace(b"\r", b"").replace(b"\n", b"")
        head = b'Content-Disposition: form-data; name="' + named + b'"' + file
        parts.append(f"--{BOUNDARY}\r\n".encode() + head + b"\r\n\r\n" + _bytes(value) + b"\r\n")
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@st.composite
def pairs_of(draw: st.DrawFn, boxes: Sequence[Box]) -> tuple[tuple[str, str | bytes], ...]:
    """The boxes of a form as they stand, with none or a few of them spoilt, left out, doubled or added."""
    pairs: list[tuple[str, str | bytes]] = [(box.name, box.value) for box in boxes if box.value or box.needed]
    for _number in range(draw(st.integers(0, 3))):
        known = [box.name for box in boxes]
        name = draw(st.one_of(st.sampled_from(known), st.sampled_from(known), names) if known else names)
        how = draw(st.sampled_from(("set", "set", "set", "add", "drop", "file")))
        if how != "add":
            pairs = [pair for pair in pairs if pair[0] != name]
        if how in ("set", "add"):
            pairs.append((name, draw(texts)))
        elif how == "file":
            pairs.append((name, draw(st.sampled_from(FILES))))
    return tuple(pairs)


@st.composite
def throws(draw: st.DrawFn, paths: Sequence[str], boxes: Sequence[Box], queries: Sequence[Box], method: str) -> Throw:
    """A request for one of these addresses (the right one, and such as lead nowhere)."""
    path = paths[0] if draw(st.integers(0, 3)) else draw(st.sampled_from(paths))
    query = draw(pairs_of(queries)) if method == "GET" or not draw(st.integers(0, 4)) else ()
    if method == "GET":
        return Throw(path, encoded(query), NOTHING, ())
    pairs = draw(pairs_of(boxes))
    has_file = any(isinstance(value, bytes) for _name, value in pairs)
    usual = MULTIPART if has_file else URLENCODED
    kind = usual if draw(st.integers(0, 5)) else draw(st.sampled_from((MULTIPART, JSON, BROKEN, NOTHING)))
    return Throw(path, encoded(query), kind, () if kind == NOTHING else pairs)
