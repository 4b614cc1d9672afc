"""Asking a page as a browser does, and reading of its answer what could tell something."""

import io
import re
from dataclasses import dataclass

from pyzipper import AESZipFile

from core.api import Register
from core.users.testing import Browser
from tests.matrix.ways import Sent

_TOKEN = re.compile(rb"[\w-]{20,}\.[\w-]{4,}\.[\w-]{20,}")
_NONCE = re.compile(rb' nonce="[\w-]+"')
#: When a page is printed or a file is made, which both of them say.
_TIME = re.compile(rb"20\d\d-\d\d-\d\d \d\d:\d\d")
_MARKER = re.compile(r"zq-(.+?)-q")
_NUMBER = re.compile(r"\d{7,18}[\dX]?")
#: Parts of a workbook that say when it was made.
_DATED = re.compile(r"docProps/")


@dataclass(frozen=True)
class Answer:
    """A status, and all that the answer holds: unpacked, without what differs every time."""

    status: int
    body: bytes

    @property
    def is_refusal(self) -> bool:
        """Whether it is the page that says no."""
        return self.status in (403, 404)

    def without(self, *names: object) -> "Answer":
        """The same without what was asked for by name."""
        body = self.body
        for name in sorted({str(name) for name in names if name}, key=len, reverse=True):
            body = re.sub(rb"(?<![\w-])" + re.escape(name.encode()) + rb"(?![\w-])", b"*", body)
        return Answer(self.status, body)

    def betrays(self, codes: set[str], numbers: set[str]) -> set[str]:
        """Which of these unions' texts, and which of these numbers, it holds."""
        text = self.body.decode("utf-8", "replace")
        return set(_MARKER.findall(text)) & codes | set(_NUMBER.findall(text)) & numbers


def ask(
    browser: Browser, register: Register, endpoint: str, method: str, sent: Sent, *, password: str = "", **headers: str
) -> Answer:
    """Ask for a page of the register, or for one that takes none of its parts; ``password`` opens a file."""
    parts = {"year": 2014, "sponsor": "61", "program": register.program, "name": register.name, "kind": "xlsx"}
    urls = browser.application.url_map
    known = {name: value for name, value in parts.items() if urls.is_endpoint_expecting(endpoint, name)}
    url = urls.bind("localhost").build(endpoint, {**known, **sent.values}, method=method)
    response = browser.open(url, method=method, data=sent.data, headers=headers)
    reference = response.headers["X-Request-ID"].encode()  # a page that says no names it
    return Answer(response.status_code, plain(response.data, password).replace(reference, b""))


def plain(content: bytes, password: str = "") -> bytes:
    """What a page or a file says: archives are unpacked."""
    if not content.startswith(b"PK"):
        for one in (_NONCE, _TIME):
            content = one.sub(b"", content)
        return _TOKEN.sub(b"TOKEN", content)
    with AESZipFile(io.BytesIO(content)) as archive:
        archive.setpassword(password.encode() or b"-")
        names = [name for name in archive.namelist() if not _DATED.match(name)]
        return b"\n".join(name.encode() + b"\n" + plain(archive.read(name)) for name in names)
