"""A browser without JavaScript, made of the standard library: cookies, the CSRF token of the page, forms, tables."""

import re
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from email.message import Message
from html.parser import HTMLParser
from http.cookiejar import CookieJar

from plugins.four_seasons.demo.house import DemoError

TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')


@dataclass(frozen=True)
class Page:
    """An answer of the web."""

    status: int
    url: str
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        """The answer as text."""
        return self.body.decode()


class Browser:
    """Somebody who is logged in, or not yet."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._token = ""
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
        )

    def log_in(self, username: str, password: str) -> "Browser":
        """Go through the login page. Raises :class:`DemoError` when it is refused."""
        self.get("/login")
        if self.post("/login", username=username, password=password).url.endswith("/login"):
            raise DemoError(f"{username} could not log in.")
        return self

    def get(self, path: str, *, expect: int = 200, htmx: bool = False) -> Page:
        """Open a page."""
        headers = {"HX-Request": "true"} if htmx else {}
        return self._open(urllib.request.Request(self._address + path, headers=headers), expect)  # noqa: S310  # our own server

    def post(self, path: str, *, expect: int = 200, **fields: str) -> Page:
        """Send a form with the token of the page that was opened last, and follow where it leads."""
        data = urllib.parse.urlencode({"csrf_token": self._token} | fields).encode()
        return self._open(urllib.request.Request(self._address + path, data=data), expect)  # noqa: S310  # our own server

    def _open(self, request: urllib.request.Request, expect: int) -> Page:
        try:
            with self._opener.open(request, timeout=120) as answer:
                page = Page(answer.status, answer.url, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                page = Page(error.code, error.url, error.headers, error.read())
        except OSError as error:
            raise DemoError(f"{request.full_url} does not answer: {error}") from error
        if page.status != expect:
            said = " ".join(visible_text(page.text).split())[:1500]
            raise DemoError(f"{request.get_method()} {request.full_url} answered {page.status}: {said}")
        if found := TOKEN.search(page.body.decode(errors="replace")):
            self._token = found[1]
        return page


class _Reader(HTMLParser):
    """Collects the text of a page, and the cells of its tables' bodies."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.words: list[str] = []
        self._in_body = self._in_cell = self._hidden = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        if tag in ("script", "style", "head"):
            self._hidden = True
        elif tag == "tbody":
            self._in_body = True
        elif tag == "tr" and self._in_body:
            self.rows.append([])
        elif tag == "td" and self._in_body:
            self._in_cell = True
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style", "head"):
            self._hidden = False
        elif tag == "tbody":
            self._in_body = False
        elif tag == "td":
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.words.append(data)
        if self._in_cell:
            self.rows[-1][-1] += data


def _read(text: str) -> _Reader:
    reader = _Reader()
    reader.feed(text)
    return reader


def visible_text(text: str) -> str:
    """What a person reads on a page."""
    return " ".join(_read(text).words)


def table_rows(text: str) -> list[list[str]]:
    """The cells of every table's body, row by row."""
    return [[" ".join(cell.split()) for cell in row] for row in _read(text).rows]


def number(text: str) -> int:
    """A count as pages show it: ``136,000``."""
    return int(text.replace(",", ""))


def fen(text: str) -> int:
    """An amount as pages show it: ``1,250.50`` yuan is 125050 fen."""
    yuan, _point, part = text.replace(",", "").partition(".")
    return int(yuan) * 100 + int(part.ljust(2, "0"))
