"""A register in at most forty lines: list, entry, import, export, flow, notices, files and report come with it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from core.config import ROOT
from core.plugin.registry import registry_of
from core.users.testing import AsUser
from tests.matrix.conftest import MakeWorld
from tests.plugins_for_tests.meals import kitchens

FILE = Path(kitchens.__file__)
PAGES = "/2014/61/meals/"


def test_forty_lines_are_enough() -> None:
    lines = [line for line in FILE.read_text(encoding="utf-8").splitlines() if line.strip()]
    assert len(lines) <= 40
    assert not [line for line in lines if "fmt:" in line or ";" in line]
    check = [sys.executable, "-m", "ruff", "format", "--check", str(FILE)]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0


def test_the_document_shows_it_whole() -> None:
    code = FILE.read_text(encoding="utf-8").split('"""', 2)[2].strip()
    assert f"~~~python\n{code}\n~~~" in (ROOT / "docs" / "writing-a-plugin.md").read_text(encoding="utf-8")


@pytest.mark.services
def test_the_matrix_and_its_tables_know_it(app: Flask, run_command: Callable[..., Result]) -> None:
    assert kitchens.KITCHENS in registry_of(app).registers.values()
    checked = run_command("db", "check", "--plugin", "meals")
    assert checked.exit_code == 0, checked.output


@pytest.mark.services
def test_everything_is_there(make_world: MakeWorld, as_user: AsUser) -> None:
    world = make_world()
    entry = world.entry(kitchens.KITCHENS, "610102")
    clerk = as_user("clerk", "610102")
    page = clerk.get(f"{PAGES}registers/kitchens/?totals=1").text
    for part in ("registers/kitchens/add", "registers/kitchens/imports/", "registers/kitchens/notices/",
                 "/exports/new?", "registers/kitchens/flow/submit", "300.00"):  # fmt: skip
        assert part in page, part
    page = clerk.get(f"{PAGES}registers/kitchens/{entry.row}").text
    for part in (f"{entry.row}/change", f"{entry.row}/files/", f"{entry.row}/flow"):
        assert part in page, part
    report = clerk.get(f"{PAGES}reports/kitchens?by=kind").text
    assert "Canteen" in report
    assert "300.00" in report
