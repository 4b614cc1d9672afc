"""Which entries have a file, as a condition for a WHERE and a flow."""

import pytest

from core.audit.services import SYSTEM
from core.extensions import db
from core.files.queries import has_files
from core.files.services import withdraw
from core.users.testing import Browser
from tests.files.conftest import files, send
from tests.plugins_for_tests.reading_club.registers import Corner, Reader
from tests.registers.conftest import add_corner

pytestmark = pytest.mark.services


def with_files(register: str = "reading_club.corners") -> list[str]:
    """The corners that have one, by their names."""
    found = db.session.query(Corner).filter(has_files(register, Corner)).order_by(Corner.id)
    return [corner.name for corner in found]


def test_an_entry_has_files_from_the_first_until_the_last_is_removed(browser: Browser, address: str) -> None:
    assert add_corner(browser, name="另一处") == 302
    assert with_files() == []
    send(browser, address)
    send(browser, address, "又一份.pdf", b"%PDF-1.4\nanother\n%%EOF\n")
    assert with_files() == ["职工书屋"]
    first, second = files()
    withdraw(SYSTEM, [first])
    db.session.commit()
    assert with_files() == ["职工书屋"]
    withdraw(SYSTEM, [second])
    db.session.commit()
    assert with_files() == []


def test_a_file_of_another_register_does_not_count(browser: Browser, address: str) -> None:
    send(browser, address)
    assert with_files("reading_club.corner") == []
    assert with_files("reading_club.readers") == []
    assert db.session.query(Reader).filter(has_files("reading_club.readers", Reader)).count() == 0
