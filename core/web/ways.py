"""Where a link or a form may lead on to: only ever a path of this site."""

import unicodedata
from urllib.parse import unquote, urlsplit

#: Longer ones nobody followed: addresses of lists with every filter have some hundred signs.
LONGEST = 2000


def own_path(target: str) -> str | None:
    """``target`` if it is a path of this site as every browser reads it, else none.

    Browsers read a backslash as a slash and leave out tabs and line ends, some proxies decode before they look, and
    some signs become a slash when they are normalised: what holds any of it at its beginning leads elsewhere.
    """
    if not target.startswith("/") or len(target) > LONGEST or not target.isprintable():
        return None
    path = target.partition("?")[0].partition("#")[0]
    for form in (path, unquote(path), unquote(unquote(path))):
        plain = unicodedata.normalize("NFKC", form)
        if "\\" in plain or plain.startswith("//") or not plain.isprintable():
            return None
    try:
        parts = urlsplit(target)
    except ValueError:
        return None
    return None if parts.scheme or parts.netloc else target
