"""An entry of a reading corner to attach files to, a store of its own for each test, and files of every kind."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from core.audit.models import AuditLine
from core.config import Settings
from core.extensions import db
from core.files.models import File
from core.files.records import Record, record_of
from core.files.store import FOLDER
from core.programs.models import ProgramYear
from core.users.models import User
from core.users.testing import AsUser, Browser, MakeUser
from tests.plugins_for_tests.reading_club.registers import CORNERS, Corner
from tests.registers.conftest import URL, add_corner
from tests.registers.conftest import clubs as clubs
from tests.registers.conftest import english as english
from tests.registers.conftest import make_person as make_person
from tests.registers.conftest import plugins as plugins

PDF = b"%PDF-1.4\nfictional\n%%EOF\n"


def archive(*names: str) -> bytes:
    """A ZIP archive with these parts."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as parts:
        for name in names:
            parts.writestr(name, "<xml/>")
    return target.getvalue()


def picture(kind: str = "PNG", size: tuple[int, int] = (600, 300), exif: Image.Exif | None = None) -> bytes:
    """An image, red on the left and blue on the right."""
    image = Image.new("RGB", size, "red")
    image.paste("blue", (size[0] // 2, 0, *size))
    target = io.BytesIO()
    image.save(target, kind, **({"exif": exif} if exif else {}))
    return target.getvalue()


@pytest.fixture
def store_path(tmp_path: Path) -> Path:
    """The folder of this test's attachments."""
    return tmp_path / "store"


@pytest.fixture
def settings(settings: Settings, store_path: Path) -> Settings:
    """Settings with a store of their own."""
    return replace(settings, files_url=str(store_path))


@pytest.fixture
def clerk(make_user: MakeUser) -> User:
    """A clerk of the city."""
    return make_user("clerk", "6101")


@pytest.fixture
def browser(clubs: ProgramYear, as_user: AsUser, clerk: User) -> Browser:
    """The clerk's browser."""
    return as_user(clerk)


@pytest.fixture
def corner(browser: Browser) -> Corner:
    """An entry of a county of the city."""
    assert add_corner(browser) == 302
    return db.session.query(Corner).one()


@pytest.fixture
def record(corner: Corner, clubs: ProgramYear) -> Record:
    """The entry as files know it."""
    return record_of(CORNERS, clubs, corner)


@pytest.fixture
def address(corner: Corner) -> str:
    """Where the files of the entry are."""
    return f"{URL}corners/{corner.id}/files/"


def send(browser: Browser, address: str, name: str = "证明.pdf", content: bytes = PDF) -> TestResponse:
    """Attach a file."""
    return browser.post(address, data={"file": (io.BytesIO(content), name)}, content_type="multipart/form-data")


def at_field(page: TestResponse) -> str:
    """What the page says at the field of the file."""
    assert page.status_code >= 400, page.status_code
    parts = page.text.split('id="file-errors"')
    assert len(parts) == 2, "nothing is said at the field"
    return parts[1].split("</div>")[0]


def files() -> list[File]:
    return list(db.session.query(File).order_by(File.id))


def stored(store_path: Path) -> set[str]:
    """The names of what lies in the store."""
    return {path.name for path in (store_path / FOLDER).rglob("*") if path.is_file()}


def actions() -> list[tuple[str, str]]:
    lines = db.session.query(AuditLine).filter(AuditLine.action.startswith("file.")).order_by(AuditLine.id)
    return [(line.action, line.object) for line in lines]
