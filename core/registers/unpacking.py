"""What an xlsx unpacks to, measured before anything reads it: the sizes that it states may be lies.

The reader keeps a sheet as one block from its first to its last cell, so that two cells far apart are enough to fill
any memory; where its cells lie is looked up here in the unpacked text, in bounded memory.
"""

import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from flask_babel import gettext as _

from core.errors import ZhijiaError

#: Bytes that an xlsx may hold when unpacked; far above any list, far below what a machine's memory holds.
LARGEST_UNPACKED = 200 * 1024 * 1024
CHUNK = 256 * 1024
#: A place in a sheet is at most this long: `r="XFD1048576`.
_OVERLAP = 16
#: Column AAA or beyond, line 300,000 or beyond, or a place that is written as no program writes it. These begin with a
#: letter and look back from there, as a search for a letter takes a fraction of one for any of several signs.
_TOO_FAR = re.compile(
    rb"""r(?<=[\s"']r)(?:=["'](?:[A-Za-z]{3}|[A-Za-z]{0,2}(?:[3-9]\d{5}|\d{7})|&)|\s+=\s*["']|=\s+["'])"""
)
#: Column BA or beyond, and line 10,000 or beyond: either alone is no harm.
_WIDE = re.compile(rb"""r=(?<=[\s"']r=)["'][B-Zb-z][A-Za-z]\d""")
_LONG = re.compile(rb"""r=(?<=[\s"']r=)["'][A-Za-z]{0,2}\d{5}""")


def check_unpacked(content: IO[bytes]) -> None:
    """Raises :class:`ZhijiaError` where the file is no xlsx, or more than a list of some hundred thousand lines."""
    left = LARGEST_UNPACKED
    try:
        with zipfile.ZipFile(content) as archive:
            for item in archive.infolist():
                wide = long = False
                for text in _unpacked(content, item):
                    left -= len(text) - _OVERLAP
                    if left < 0:
                        raise ZhijiaError(_("The xlsx file is too large; please split it."))
                    if not item.filename.startswith("xl/worksheets/"):
                        continue
                    wide = wide or _WIDE.search(text) is not None
                    long = long or _LONG.search(text) is not None
                    if (wide and long) or _TOO_FAR.search(text):
                        raise ZhijiaError(
                            _("A sheet has cells far below or far to the right; delete the empty lines and columns.")
                        )
    except (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError, EOFError, ValueError) as error:
        sentence = _("The xlsx file cannot be read: it is broken, protected by a password, or of another kind.")
        raise ZhijiaError(sentence) from error
    content.seek(0)


def _unpacked(content: IO[bytes], item: zipfile.ZipInfo) -> Iterator[bytes]:
    """What really is in the entry, chunk by chunk, each with the end of the one before."""
    if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or item.flag_bits & 1:
        raise NotImplementedError
    content.seek(item.header_offset + 26)
    name, extra = struct.unpack("<HH", content.read(4))
    content.seek(name + extra, 1)
    inflater = zlib.decompressobj(-15) if item.compress_type == zipfile.ZIP_DEFLATED else None
    left, before = item.compress_size, b" " * _OVERLAP
    while left > 0 and (packed := content.read(min(left, CHUNK))):
        left -= len(packed)
        while packed:
            text = inflater.decompress(packed, CHUNK) if inflater else packed
            packed = inflater.unconsumed_tail if inflater else b""
            yield before + text
            before = text[-_OVERLAP:].rjust(_OVERLAP)
