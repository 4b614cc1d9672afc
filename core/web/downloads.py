"""Names of files that are handed out."""

import unicodedata
from urllib.parse import quote


def named(name: str) -> dict[str, str]:
    """The name for a header, which holds ASCII only: as it is, or without the rest and as RFC 8187 writes it."""
    if name.isascii():
        return {"filename": name}
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return {"filename": plain, "filename*": f"UTF-8''{quote(name, safe='')}"}
