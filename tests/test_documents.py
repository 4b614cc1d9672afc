"""What the documents say about settings, commands and safety is what the code does."""

import re
from collections import Counter

import pytest

from core.cli import zhijia
from core.config import ROOT

OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
README = (ROOT / "README.md").read_text()
SECURITY = (ROOT / "docs" / "security.md").read_text()
ASVS = (ROOT / "docs" / "asvs.md").read_text()
#: How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; those of level 3 come last in each.
SECTIONS = {
    1: (2, 9, 11, 3, 2), 2: (3, 3, 4, 1), 3: (0, 2, 4, 6, 5, 0, 2), 4: (3, 1, 2, 4), 5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4), 7: (3, 4, 2, 5, 2, 2), 8: (2, 3, 1, 1), 9: (3, 4), 10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1), 12: (3, 2, 4), 13: (1, 5, 2, 5), 14: (2, 4, 3), 15: (3, 3, 7), 16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}  # fmt: skip


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


@pytest.mark.parametrize("document", [SECURITY, ASVS], ids=["security", "asvs"])
def test_what_stops_an_attack_is_there_under_its_name(document: str) -> None:
    named = re.findall(r"`(\w[\w./-]+/|\w[\w./-]+\.(?:py|js|html|md))(?:::(\w+))?`", document)
    assert named
    for path, test in named:
        file = next((base / path for base in (ROOT, ROOT / "tests") if (base / path).exists()), None)
        assert file is not None, f"{path} is not there"
        assert not test or f"\ndef {test}(" in file.read_text(), f"{path} has no {test}"


def test_every_requirement_has_its_line_and_the_sum_is_right() -> None:
    row = re.compile(r"^\| (\d+)\.(\d+)\.(\d+)(?: to \d+\.\d+\.(\d+))? \|[^|]+\|[^|]+\| ([a-z/]+) \|", re.MULTILINE)
    states: Counter[str] = Counter()
    found = []
    for chapter, section, first, last, state in row.findall(ASVS):
        numbers = [(int(chapter), int(section), number) for number in range(int(first), int(last or first) + 1)]
        found += numbers
        states[state] += len(numbers)
    assert found == [
        (chapter, section, number)
        for chapter, counts in SECTIONS.items()
        for section, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]
    sum_of_all = re.search(r"Of (\d+) .* (\d+) are met, (\d+) partly, (\d+) open, (\d+) up to .*, (\d+) not app", ASVS)
    assert sum_of_all is not None
    counts = [states[state] for state in ("met", "partly", "open", "installation", "n/a")]
    assert [int(number) for number in sum_of_all.groups()] == [sum(states.values()), *counts]
