"""What the documents say about settings and commands is what the code does."""

import re

from core.cli import zhijia
from core.config import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()


def test_every_variable_has_its_row_and_every_row_its_variable() -> None:
    known = set(re.findall(r'"(ZHIJIA_[A-Z_]+)"', (ROOT / "core" / "config.py").read_text()))
    assert set(re.findall(r"^\| `(ZHIJIA_[A-Z_]+)`", OPERATIONS, re.MULTILINE)) == known


def test_every_command_that_is_named_exists() -> None:
    named = re.findall(
        r"zhijia ([a-z]+) ?([a-z]*)", "\n".join(re.findall(r"`[^`]+`|^\.venv/bin/.*$", OPERATIONS, re.M))
    )
    assert named
    for name, second in named:
        group = zhijia.commands[name]
        assert not second or second in getattr(group, "commands", {}), (name, second)


def test_every_link_leads_somewhere() -> None:
    for file in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#:]+)\)", file.read_text()):
            assert (file.parent / target).exists(), f"{file.name}: {target}"


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "adr"
    listed = set(re.findall(r"^- \[\d{4}\]\(([^)]+)\)", (folder / "README.md").read_text(), re.MULTILINE))
    assert listed == {file.name for file in folder.glob("[0-9]*.md")} - {"0000-template.md"}


def test_make_knows_what_the_readme_asks_of_it() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z]+)", README + OPERATIONS)) <= targets
