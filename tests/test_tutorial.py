"""docs/writing-a-plugin.md, followed to the letter: every command is run and every listing is used, in its order."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from core.config import ROOT
from tests.installing import Venv, make_venv

DIVISIONS = Path("core", "org", "data", "divisions-shaanxi.csv")
DOCUMENT = (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")
LISTED = re.findall(r"^```(\w*)\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
#: What an author may have to write by hand to reach a scheme that pays, and a little more.
AIM = 120


@dataclass(frozen=True)
class Listing:
    """A block of the document and what it is."""

    kind: str
    text: str

    @property
    def written_by_hand(self) -> int:
        """How many lines of it somebody types, blank ones and the name of a file left out."""
        if self.kind == "diff":
            lines = [line[1:] for line in self.text.splitlines() if re.match(r"\+(?!\+\+ )", line)]
        else:
            lines = self.text.splitlines()[1:] if self.kind == "python" else []
        return len([line for line in lines if line.strip()])


LISTINGS = [Listing(kind, body) for kind, body in LISTED]


def test_every_listing_is_one_that_is_used() -> None:
    assert {listing.kind for listing in LISTINGS} == {"sh", "python", "diff"}
    assert len(LISTINGS) == DOCUMENT.count("```") / 2


def test_little_is_written_by_hand() -> None:
    assert 0 < sum(listing.written_by_hand for listing in LISTINGS) <= AIM


@pytest.fixture
def venv(tmp_path: Path) -> Iterator[Venv]:
    """A virtual environment and an installation of its own, with embedded servers.

    Not below pytest's folder, as the path of a socket must be short.
    """
    instance = Path(tempfile.mkdtemp(prefix="zhijia-tutorial-"))
    made = make_venv(tmp_path / "venv", {"ZHIJIA_INSTANCE": str(instance)})
    yield made
    made.zhijia("services", "stop")
    shutil.rmtree(instance, ignore_errors=True)


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """The folder in which the commands are given: of Zhijia's own files it has the one that they name."""
    folder = tmp_path / "zhijia"
    (folder / DIVISIONS).parent.mkdir(parents=True)
    shutil.copy(ROOT / DIVISIONS, folder / DIVISIONS)
    return folder


def use(listing: Listing, venv: Venv, house: Path) -> tuple[Venv, str]:
    """Do what a reader does with the listing: the environment afterwards, and what was printed."""
    plugin = house.parent / "reading_club"
    if listing.kind == "sh":
        printed = venv.run("bash", "-euo", "pipefail", "-c", listing.text, cwd=house)
        exported = dict(re.findall(r"^export (\w+)=(\S+)$", listing.text, re.MULTILINE))
        return replace(venv, environ={**venv.environ, **exported}), printed
    if listing.kind == "diff":
        patch = house.parent / "patch.diff"
        patch.write_text(listing.text, encoding="utf-8")
        return venv, venv.run("git", "apply", patch, cwd=plugin)
    name, body = listing.text.split("\n", 1)
    (plugin / name.removeprefix("# ")).write_text(body, encoding="utf-8")
    return venv, ""


@pytest.mark.services
@pytest.mark.timeout(600)
def test_the_tutorial_leads_to_people_who_are_paid(venv: Venv, house: Path) -> None:
    printed = ""
    for listing in LISTINGS:
        venv, more = use(listing, venv, house)
        printed += more
    assert "reading_club ok (not migrated yet" in printed
    assert "loaded reading_club 0.1.0: reading_club" in printed
    assert len(re.findall(r"^\d{17}[\dX] \S+ \d{9}$", printed, re.MULTILINE)) == 3
    assert "2014 61 reading_club open" in printed
    assert "0002_reading_club.py" in printed
    assert printed.count("passed") == 3
    assert printed.endswith("reading_club ok\n")
    assert "reading_club ok" in venv.zhijia("db", "check")
    assert venv.zhijia("verify")
