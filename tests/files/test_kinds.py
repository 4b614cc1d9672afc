"""What a file is, is told by its content; its name is cleaned, and must agree."""

import io
import struct

import pytest

from core.errors import ZhijiaError
from core.files import kinds
from core.files.kinds import CSV, DOC, DOCX, JPEG, OFD, PDF, PNG, TXT, WEBP, XLS, XLSX, Kind, clean_name, kind_of
from tests.files.conftest import archive, picture


def compound(*names: str, size: int = 512) -> bytes:
    """A compound file of old Office with these streams, all of them empty."""
    entries = b""
    for name in ("Root Entry", *names):
        text = (name + "\0").encode("utf-16-le")
        entries += (text.ljust(64, b"\0") + struct.pack("<H", len(text))).ljust(128, b"\0")
    sectors = [entries[at : at + size].ljust(size, b"\0") for at in range(0, len(entries), size)]
    chain = [0xFFFFFFFD, *range(2, len(sectors) + 1), 0xFFFFFFFE]
    table = struct.pack(f"<{len(chain)}I", *chain).ljust(size, b"\xff")
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(22) + struct.pack("<H", size.bit_length() - 1)
    head = head.ljust(48, b"\0") + struct.pack("<I", 1)
    head = head.ljust(76, b"\0") + struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    return head.ljust(size, b"\0") + table + b"".join(sectors)


OFFICE = ("[Content_Types].xml", "_rels/.rels")
GOOD: dict[str, tuple[bytes, Kind]] = {
    "a.pdf": (b"%PDF-1.7\n", PDF),
    "a.PDF": (b"%PDF-1.7\n", PDF),
    "a.png": (picture("PNG"), PNG),
    "a.jpg": (picture("JPEG"), JPEG),
    "a.JPEG": (picture("JPEG"), JPEG),
    "a.webp": (picture("WEBP"), WEBP),
    "a.docx": (archive(*OFFICE, "word/document.xml"), DOCX),
    "a.xlsx": (archive(*OFFICE, "xl/workbook.xml"), XLSX),
    "a.ofd": (archive("OFD.xml", "Doc_0/Document.xml"), OFD),
    "a.doc": (compound("1Table", "WordDocument"), DOC),
    "b.doc": (compound(*"abcdefgh", "WordDocument"), DOC),
    "c.doc": (compound("WordDocument", size=4096), DOC),
    "a.xls": (compound("Workbook"), XLS),
    "b.xls": (compound("Book"), XLS),
    "embedded.xls": (compound("Workbook", "WordDocument"), XLS),
    "a.txt": ("困难职工".encode(), TXT),
    "b.txt": ("困难职工".encode("gb18030"), TXT),
    "a.csv": ("\ufeff姓名,金额\r\n".encode(), CSV),
}
WHOLE_DOCX = archive(*OFFICE, "word/document.xml")
#: Neither a kind that is taken nor, where it looks like one, a whole one.
BAD = {
    "program.pdf": b"MZ\x90\0\x03",
    "late.pdf": b"junk \0%PDF-1.7\n",
    "archive.docx": archive("a.exe"),
    "slides.pptx": archive(*OFFICE, "ppt/presentation.xml"),
    "macros.docx": archive(*OFFICE, "word/document.xml", "word/vbaProject.bin"),
    "cut.docx": WHOLE_DOCX[:-30],
    "prefixed.docx": b"GIF89a\0" + WHOLE_DOCX,
    "other.doc": compound("Contents"),
    "cut.doc": compound("WordDocument")[:60],
    "strange.doc": compound("WordDocument").replace(struct.pack("<H", 9), struct.pack("<H", 5), 1),
    "bells.txt": b"a\x07b",
    "escape.txt": b"\x1b[2J",
    "zeros.csv": b"a\0b",
    "cut.txt": "职".encode()[:2] + b"\xff",
    "utf16.txt": "a,b".encode("utf-16"),
    "picture.png": b"\x89PNG\0",
}


@pytest.mark.parametrize("name", GOOD)
def test_each_kind_is_known_by_its_content(name: str) -> None:
    content, kind = GOOD[name]
    assert kind_of(name, io.BytesIO(content)) is kind


@pytest.mark.parametrize("name", BAD)
def test_what_is_of_no_kind_is_not_taken(name: str) -> None:
    with pytest.raises(ZhijiaError, match=r"This kind of file is not taken.*pdf") as caught:
        kind_of(name, io.BytesIO(BAD[name]))
    assert caught.value.field == "file"


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("a.pdf", WHOLE_DOCX, ".docx"),
        ("a.docx", b"%PDF-1.7\n", ".pdf"),
        ("a.docx", picture("JPEG") + WHOLE_DOCX, ".jpg"),  # an image and an archive at once
        ("a.xlsx", WHOLE_DOCX, ".docx"),
        ("a.png", picture("JPEG"), ".jpg"),
        ("a.html", b"<script>alert(1)</script>", ".txt、.csv"),
        ("a.svg", b"<svg onload='alert(1)'/>", ".txt、.csv"),
        ("a.pdf.exe", b"%PDF-1.7\n", ".pdf"),
        ("pdf", b"%PDF-1.7\n", ".pdf"),
    ],
)
def test_a_name_that_denies_the_content_is_refused(name: str, content: bytes, wanted: str) -> None:
    with pytest.raises(ZhijiaError, match="does not agree with the content") as caught:
        kind_of(name, io.BytesIO(content))
    assert wanted in str(caught.value)
    assert caught.value.field == "file"


def test_a_file_with_a_password_says_what_to_do() -> None:
    with pytest.raises(ZhijiaError, match="locked with a password"):
        kind_of("a.docx", io.BytesIO(compound("EncryptionInfo", "EncryptedPackage")))


def test_an_archive_whose_directory_would_fill_the_memory_is_not_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    size = struct.unpack_from("<I", WHOLE_DOCX, len(WHOLE_DOCX) - 22 + 12)[0]
    monkeypatch.setattr(kinds, "LARGEST_DIRECTORY", size)
    assert kind_of("a.docx", io.BytesIO(WHOLE_DOCX)) is DOCX
    monkeypatch.setattr(kinds, "LARGEST_DIRECTORY", size - 1)
    with pytest.raises(ZhijiaError, match="not taken"):
        kind_of("a.docx", io.BytesIO(WHOLE_DOCX))


def test_a_long_archive_that_says_where_its_directory_is_twice_is_not_opened() -> None:
    end = WHOLE_DOCX[-22:]
    locator = b"PK\x06\x07" + bytes(16)
    with pytest.raises(ZhijiaError, match="not taken"):
        kind_of("a.docx", io.BytesIO(WHOLE_DOCX[:-22] + locator + end))


@pytest.mark.parametrize(
    ("name", "clean"),
    [
        ("证明.pdf", "证明.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\wang\\证明.pdf", "证明.pdf"),
        ("a\x00\x1b\r\nSet-Cookie: x.pdf", "aSet-Cookie_ x.pdf"),
        ("x\u202efdp.exe", "xfdp.exe"),
        ("a\u200b\u2066\ufeff\u00ad.pdf", "a.pdf"),
        ("a\u2028b\u3000c.pdf", "a b c.pdf"),
        ('a<b>:"|?*.pdf', "a_b______.pdf"),
        ("  ..hidden.pdf . ", "hidden.pdf"),
        ("e\u0301.pdf", "\u00e9.pdf"),
        ("\ud800.pdf", "pdf"),
        ("...", ""),
    ],
)
def test_a_name_is_cleaned(name: str, clean: str) -> None:
    assert clean_name(name) == clean


def test_a_name_keeps_its_ending_when_it_is_shortened() -> None:
    assert clean_name("长" * 116 + ".pdf") == "长" * 116 + ".pdf"
    assert clean_name("长" * 117 + ".pdf") == "长" * 116 + ".pdf"
    assert clean_name("a." + "长" * 200) == "a." + "长" * 118
    assert clean_name("长" * 200) == "长" * 120


def test_a_text_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_BLOCK", 4)
    assert kind_of("a.txt", io.BytesIO("困难职工".encode("gb18030"))) is TXT
    with pytest.raises(ZhijiaError, match="not taken"):
        kind_of("a.txt", io.BytesIO(b"plain for long, then\x00"))
