"""Files that are two things at once, and names that lead elsewhere: refused, or handed out as what they say only."""

import io
import zipfile

import pytest

from core.errors import ZhijiaError
from core.files.kinds import LONGEST_NAME, clean_name, kind_of
from core.users.testing import Browser
from tests.files.conftest import address as address
from tests.files.conftest import archive, files, picture, send
from tests.files.conftest import browser as browser
from tests.files.conftest import clerk as clerk
from tests.files.conftest import clubs as clubs
from tests.files.conftest import corner as corner
from tests.files.conftest import english as english
from tests.files.conftest import plugins as plugins
from tests.files.conftest import record as record
from tests.files.conftest import settings as settings
from tests.files.conftest import store_path as store_path

pytestmark = pytest.mark.services
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
REFUSED = {
    "gif-and-script.gif": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
    "gif-and-script.jpg": b"GIF89a/*" + bytes(20) + b"*/=1;alert(1)",
    "page.jpg": HTML,
    "page.png": HTML,
    "page.html": HTML,
    "page.pdf": HTML,
    "page.xlsx": HTML,
    "drawing.svg": SVG,
    "drawing.png": SVG,
    "script.js": b"alert(1)",
    "program.exe": b"MZ\x90\0",
    "bitmap.jpg": b"BM" + bytes(60),
    "shell.php": b"<?php system($_GET['c']);",
    "archive.zip": archive("a.txt"),
    "java.docx": archive("META-INF/MANIFEST.MF", "A.class"),
    "two.pdf": b"\x89PNG\r\n\x1a\n" + bytes(8) + b"%PDF-1.4",
    "link.url": b"[InternetShortcut]\r\nURL=file://evil.example/share",
    "mail.mht": b"MIME-Version: 1.0\r\nContent-Type: text/html",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_file_that_pretends_is_refused(name: str) -> None:
    """Wants a page, a drawing with scripts or a program to be kept under the name of a picture."""
    with pytest.raises(ZhijiaError) as refused:
        kind_of(clean_name(name), io.BytesIO(REFUSED[name]))
    assert refused.value.field == "file"


def test_what_hangs_on_to_a_picture_or_a_text_never_becomes_a_page(browser: Browser, address: str) -> None:
    """Wants a picture that is a page as well (polyglot) to run as one.

    The beginning decides what it is; what is behind it is handed out under that name, and shut in.
    """
    pictures = {"a.jpg": picture("JPEG") + HTML, "b.png": picture("PNG") + SVG, "c.txt": HTML, "d.csv": SVG}
    for name, content in pictures.items():
        assert send(browser, address, name, content).status_code == 302, name
    for file in files():
        for query in ("", "?show=1"):
            answer = browser.get(f"{address}{file.id}{query}")
            assert answer.mimetype in ("image/jpeg", "image/png", "text/plain", "text/csv")
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "sandbox" in policy
            assert "script-src" not in policy
            is_shown = query and answer.mimetype.startswith("image/")
            assert answer.headers["Content-Disposition"].startswith("inline" if is_shown else "attachment")
            assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "name",
    [
        "../../../etc/passwd.pdf",
        "..\\..\\windows\\system32\\a.pdf",
        "/etc/cron.d/a.pdf",
        "a\r\nContent-Type: text/html\r\n\r\n<script>.pdf",
        "a\0.exe.pdf",
        "\u202efdp.exe.pdf",
        'a";filename="b.html.pdf',
        "<img src=x onerror=alert(1)>.pdf",
        "长" * 300 + ".pdf",
        "=cmd.pdf",
        "．．／．．／a.pdf",
    ],
)
def test_a_name_stays_a_name(name: str) -> None:
    """Wants to write elsewhere, or to fool the reader, by the name of an attachment."""
    clean = clean_name(name)
    assert clean.endswith(".pdf")
    assert len(clean) <= LONGEST_NAME
    assert clean.isprintable()
    for sign in '/\\"<>\r\n\0\u202e':
        assert sign not in clean


def test_an_archive_is_never_unpacked_by_its_names() -> None:
    """Wants to write elsewhere by the names inside an archive (zip slip).

    Zip slip: parts that climb out of their folder make it no other kind, as no part of it is ever written.
    """
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as parts:
        for part in ("[Content_Types].xml", "word/document.xml", "../../evil.sh", "/etc/cron.d/evil"):
            parts.writestr(part, "<xml/>")
    assert kind_of("a.docx", target).endings == ("docx",)
