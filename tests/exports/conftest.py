"""The reading clubs of the registers' tests, and exports that are asked for and made."""

import io
from collections.abc import Callable

import pytest
from pyzipper import AESZipFile

from core.exports.models import Export
from core.extensions import db
from core.programs.models import ProgramYear
from core.users.testing import Browser
from tests.registers.conftest import clubs, english, make_person, plugins

__all__ = ["clubs", "english", "make_person", "plugins"]
#: What it is for; lists that are not of people do not ask for it.
FOR = {"purpose": "report", "note": "年报"}
AskFor = Callable[..., Export]
CORNERS, READERS = "reading_club.corners", "reading_club.readers"


def address(of: ProgramYear | None, code: str, query: str = "") -> str:
    return f"/exports/new?list={code}{f'&in={of.id}' if of else ''}&{query}"


@pytest.fixture
def ask_for(clubs: ProgramYear, run_jobs: Callable[[], int]) -> AskFor:
    """``ask_for(browser, code, query="", kind="xlsx", columns=[...], run=True)``: the newest export, made."""

    def ask(
        browser: Browser,
        code: str = CORNERS,
        query: str = "",
        *,
        kind: str = "xlsx",
        columns: list[str],
        run: bool = True,
    ) -> Export:
        of = clubs if code.startswith("reading_club.") else None
        answer = browser.post(address(of, code, query), data={"kind": kind, "columns": columns} | FOR)
        assert answer.status_code == 302, answer.text
        if run:
            run_jobs()
        return db.session.query(Export).order_by(Export.id.desc()).populate_existing().first() or pytest.fail("none")

    return ask


def unlocked(content: bytes, password: str) -> dict[str, bytes]:
    """The files of a zip."""
    with AESZipFile(io.BytesIO(content)) as archive:
        archive.setpassword(password.encode())
        return {name: archive.read(name) for name in archive.namelist()}
