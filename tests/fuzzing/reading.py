"""What a page lets its reader fill in and follow: its forms, with what stands in them, and the names in its
addresses.
"""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import parse_qsl, urlsplit

#: What is put into an empty box of this kind, so that the rest of the form is reached.
USUAL = {
    "date": "2014-03-05",
    "number": "1",
    "month": "2014-03",
    "email": "a@example.com",
    "text": "1",
    "textarea": "x",
}


@dataclass(frozen=True)
class Box:
    """Something to fill in, with what stands in it or could."""

    name: str
    value: str = ""
    needed: bool = False


@dataclass
class Sheet:
    """A form: where it is sent, how, and its boxes."""

    action: str
    method: str
    boxes: list[Box] = field(default_factory=list)


class Page(HTMLParser):
    """The forms of a page and the query names of its links; ``Page(html, path)``."""

    def __init__(self, html: str, path: str) -> None:
        super().__init__()
        self.sheets: list[Sheet] = []
        self.asked: list[tuple[str, list[Box]]] = []
        self._path, self._select, self._by_id = path, "", dict[str, Sheet]()
        self._open: Sheet | None = None
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take up forms, boxes and links."""
        values = {name: value or "" for name, value in attrs}
        link = values.get("href") or values.get("hx-get") or ""
        if link.startswith(("/", "?")):
            parts = urlsplit(link)
            boxes = [Box(name, value) for name, value in parse_qsl(parts.query)]
            self.asked.append((parts.path or self._path, boxes))
        if tag == "form":
            action = values.get("action") or self._path
            self._open = Sheet(urlsplit(action).path, values.get("method", "get").upper())
            self.sheets.append(self._open)
            if "id" in values:
                self._by_id[values["id"]] = self._open
        elif tag in ("input", "select", "textarea", "button"):
            self._take(tag, values)
        elif tag == "option" and self._open and self._select and values.get("value"):
            self._open.boxes.append(Box(self._select, values["value"], True))
            self._select = ""

    def _take(self, tag: str, values: dict[str, str]) -> None:
        sheet = self._by_id.get(values.get("form", "")) or self._open
        name = values.get("name", "")
        if sheet is None or not name or name == "csrf_token":
            return
        if values.get("formaction"):
            self.sheets.append(Sheet(urlsplit(values["formaction"]).path, "POST", sheet.boxes))
        if tag == "select":
            self._select = name
            return
        kind = values.get("type", "text") if tag == "input" else tag
        is_chosen = kind not in ("checkbox", "radio") or "checked" in values or "required" in values
        if kind == "button":  # the first of them is pressed
            is_chosen = all(box.name != name for box in sheet.boxes)
        value = values.get("value") or USUAL.get(kind, "")
        sheet.boxes.append(Box(name, value if is_chosen else "", is_chosen))

    def handle_endtag(self, tag: str) -> None:
        """A form ends."""
        if tag == "form":
            self._open = None
        elif tag == "select" and self._select:
            if self._open:
                self._open.boxes.append(Box(self._select))
            self._select = ""
