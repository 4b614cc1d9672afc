"""Which files may be attached, told by their content, never by their name alone.

The list is short on purpose (docs/adr/0009): what the unions' papers, photos and tables are kept in, no archives, no
web pages, no programs. The name must agree with the content, as whoever downloads it will trust the name.
"""

import codecs
import re
import struct
import unicodedata
import zipfile
from dataclasses import dataclass
from typing import IO

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from core.errors import ZhijiaError
from core.plugin.types import Text

LONGEST_NAME = 120
#: The directory of a ZIP archive is read whole; that of an Office file is far smaller.
LARGEST_DIRECTORY = 1024 * 1024
#: Sectors of the directory of an old Office file that are looked at; each names at least four streams.
MOST_SECTORS = 64
_BLOCK = 64 * 1024
_NO_SECTOR = 0xFFFFFFFA
#: What stands in no text; tabs, line ends, form feeds and the end mark of old tables do.
_CONTROL = re.compile(r"[^\t\n\r\f\x1a\x20-\x7e\x80-\U0010ffff]|[\x80-\x84\x86-\x9f]")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of file. ``shown`` ones a browser may show by itself; all others it only saves."""

    mime: str
    title: Text
    endings: tuple[str, ...]
    icon: str
    shown: bool = False

    @property
    def is_image(self) -> bool:
        """Whether it gets a thumbnail."""
        return self.mime.startswith("image/")


_OFFICE = "application/vnd.openxmlformats-officedocument."
PDF = Kind("application/pdf", "PDF", ("pdf",), "file-type-pdf", shown=True)
OFD = Kind("application/ofd", "OFD", ("ofd",), "file-text")
PNG = Kind("image/png", _l("Image (PNG)"), ("png",), "photo", shown=True)
JPEG = Kind("image/jpeg", _l("Image (JPEG)"), ("jpg", "jpeg"), "photo", shown=True)
WEBP = Kind("image/webp", _l("Image (WebP)"), ("webp",), "photo", shown=True)
DOCX = Kind(_OFFICE + "wordprocessingml.document", _l("Word document"), ("docx",), "file-word")
XLSX = Kind(_OFFICE + "spreadsheetml.sheet", _l("Excel table"), ("xlsx",), "file-spreadsheet")
DOC = Kind("application/msword", _l("Word document"), ("doc",), "file-word")
XLS = Kind("application/vnd.ms-excel", _l("Excel table"), ("xls",), "file-spreadsheet")
TXT = Kind("text/plain", _l("Text"), ("txt",), "file-text")
CSV = Kind("text/csv", _l("Table (CSV)"), ("csv",), "table")
KINDS = {kind.mime: kind for kind in (PDF, OFD, PNG, JPEG, WEBP, DOCX, XLSX, DOC, XLS, TXT, CSV)}
ENDINGS = tuple(ending for kind in KINDS.values() for ending in kind.endings)


def clean_name(name: str) -> str:
    """The name without a folder and without signs that are not seen or turn the text around; at most 120 signs.

    What a file's name cannot hold on some system becomes ``_``. The ending stays when the name is shortened.
    """
    text = "".join(
        " " if unicodedata.category(sign) in ("Zs", "Zl", "Zp") else sign
        for sign in unicodedata.normalize("NFC", re.split(r"[/\\]", name)[-1])
        if unicodedata.category(sign)[0] != "C"
    )
    text = re.sub(r'[<>:"|?*]', "_", " ".join(text.split())).strip(". ")
    stem, dot, ending = text.rpartition(".")
    if dot and len(ending) < LONGEST_NAME // 2:
        return stem[: LONGEST_NAME - len(ending) - 1].rstrip(". ") + dot + ending
    return text[:LONGEST_NAME]


def kind_of(name: str, content: IO[bytes]) -> Kind:
    """The kind of the content, which a (cleaned) name must agree with. Raises :class:`ZhijiaError` at ``file``."""
    possible = _possible(content)
    if not possible:
        endings = "、".join(ENDINGS)
        raise ZhijiaError(_("This kind of file is not taken; these are: %(endings)s.", endings=endings), field="file")
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    for kind in possible:
        if ending in kind.endings:
            return kind
    wanted = "、".join(f".{kind.endings[0]}" for kind in possible)
    raise ZhijiaError(
        _(
            "The name “%(name)s” does not agree with the content, which belongs into a file that ends with %(wanted)s.",
            name=name,
            wanted=wanted,
        ),
        field="file",
    )


def _possible(content: IO[bytes]) -> tuple[Kind, ...]:
    """The kinds that the content may be of, mostly one."""
    content.seek(0)
    head = content.read(12)
    if head.startswith(b"PK\x03\x04"):
        return _of_archive(content)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _of_old_office(content)
    if head.startswith(b"RIFF") and head[8:] == b"WEBP":
        return (WEBP,)
    for begin, kind in ((b"%PDF-", PDF), (b"\x89PNG\r\n\x1a\n", PNG), (b"\xff\xd8\xff", JPEG)):
        if head.startswith(begin):
            return (kind,)
    return (TXT, CSV) if _is_text(content) else ()


def _of_archive(content: IO[bytes]) -> tuple[Kind, ...]:
    """What an archive is by the parts in it. One with programs in it (macros) is of no kind."""
    if not _has_small_directory(content):
        return ()
    try:
        with zipfile.ZipFile(content) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ()
    if any(name.endswith("vbaProject.bin") for name in names):
        return ()
    if "OFD.xml" in names:
        return (OFD,)
    if "[Content_Types].xml" in names:
        return tuple(kind for part, kind in (("word/document.xml", DOCX), ("xl/workbook.xml", XLSX)) if part in names)
    return ()


def _has_small_directory(content: IO[bytes]) -> bool:
    """Whether the archive ends with the mark of a directory that can be read without much memory."""
    length = content.seek(0, 2)
    content.seek(max(0, length - 0xFFFF - 22 - 20))
    tail = content.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) < at + 22 or tail[max(0, at - 20) : at].startswith(b"PK\x06\x07"):  # that is ZIP64
        return False
    (size,) = struct.unpack_from("<I", tail, at + 12)
    return int(size) <= LARGEST_DIRECTORY


def _of_old_office(content: IO[bytes]) -> tuple[Kind, ...]:
    """Word or Excel up to 2003. A file that is locked with a password looks like them, and says what to do."""
    try:
        names = _streams(content)
    except struct.error:  # cut off
        return ()
    if "EncryptedPackage" in names:
        raise ZhijiaError(_("The file is locked with a password; take the password off first."), field="file")
    found = (DOC if "WordDocument" in names else None, XLS if names & {"Workbook", "Book"} else None)
    return tuple(kind for kind in found if kind)


def _streams(content: IO[bytes]) -> set[str]:
    """The names in the directory of a compound file (MS-CFB 2.6): sectors that a table of sectors chains."""
    content.seek(0)
    head = content.read(512)
    (shift,), (sector,) = struct.unpack_from("<H", head, 30), struct.unpack_from("<I", head, 48)
    if shift not in (9, 12):
        return set()
    size, names = 1 << int(shift), set[str]()
    for _count in range(MOST_SECTORS):
        if sector >= _NO_SECTOR:
            break
        content.seek((sector + 1) * size)
        block = content.read(size)
        for at in range(0, len(block) - 127, 128):
            (length,) = struct.unpack_from("<H", block, at + 64)
            names.add(block[at : at + min(length, 64)].decode("utf-16-le", "replace").rstrip("\0"))
        table, within = divmod(sector, size // 4)
        if table >= 109:  # of a file of seven megabytes and more, and then far behind its beginning
            break
        (start,) = struct.unpack_from("<I", head, 76 + 4 * table)
        content.seek((start + 1) * size + 4 * within)
        (sector,) = struct.unpack("<I", content.read(4))
    return names


def _is_text(content: IO[bytes]) -> bool:
    return any(_decodes(content, encoding) for encoding in ("utf-8", "gb18030"))


def _decodes(content: IO[bytes], encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    content.seek(0)
    try:
        while block := content.read(_BLOCK):
            if _CONTROL.search(decoder.decode(block)):
                return False
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
