"""What others wrote is locked with digests, has a licence that the house takes, and is asked after honestly."""

import configparser
import json
import re
from email.message import Message

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from core import supply
from core.config import ROOT
from core.supply import ALL, PAGE, RUNNING, Package


@pytest.mark.parametrize("file", [RUNNING, ALL])
def test_every_locked_package_has_one_version_and_digests(file: str) -> None:
    text = (ROOT / file).read_text()
    for part in re.split(r"\n(?=[a-z0-9])", text.partition("\n#    make lock\n")[2].rstrip()):
        lines = part.strip().split(" \\\n")
        assert re.fullmatch(r"[a-z0-9.-]+==[^ ]+( ; .+)?", lines[0]), lines[0]
        assert lines[1:], f"{lines[0]} has no digest"
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", line) for line in lines[1:]), lines[0]
    assert "://" not in text, "a lock file says which packages, not from where"


def test_npm_is_locked_with_digests_and_without_addresses() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    named = {name: about for name, about in packages.items() if name}
    assert named
    assert {name for name, about in named.items() if not about["integrity"].startswith("sha512-")} == set()
    assert {name for name, about in named.items() if "resolved" in about} == set()


def test_the_lock_files_hold_what_setup_asks_for() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    extras = setup["options.extras_require"]
    asked = {RUNNING: setup["options"]["install_requires"] + extras["build"], ALL: extras["dev"]}
    for file, text in asked.items():
        versions = {canonicalize_name(one.name): str(one.specifier).removeprefix("==") for one in supply.locked(file)}
        for line in text.splitlines():
            if line.strip() and not line.startswith("#"):
                wanted = Requirement(line)
                assert wanted.specifier.contains(versions[canonicalize_name(wanted.name)]), f"{line}; run: make lock"


def test_every_exception_from_the_rules_of_safety_has_its_reason() -> None:
    """Behind ``noqa`` on the line itself, or as a comment beside the setting of the whole project."""
    folders = ("core", "plugins", "migrations", "examples", "tests", "bench")
    bare = re.compile(r"# noqa: S\d{3}(, S\d{3})*\s*$", re.MULTILINE)
    files = [file for folder in folders for file in (ROOT / folder).rglob("*.py")]
    assert {str(file.relative_to(ROOT)) for file in files if bare.search(file.read_text())} == set()
    settings = (ROOT / "pyproject.toml").read_text().partition("[tool.ruff.lint]\n")[2].partition("select")[2]
    for line in settings.splitlines()[1:]:
        assert not re.search(r'"S\d{3}"', line) or " # " in line, line


def test_what_runs_is_locked_alike_for_development() -> None:
    assert {str(one) for one in supply.locked(RUNNING)} <= {str(one) for one in supply.locked(ALL)}


def about(**fields: str) -> Message:
    message = Message()
    for name, value in fields.items():
        message[name.replace("_", "-")] = value
    return message


@pytest.mark.parametrize(
    ("said", "licence", "taken"),
    [
        (about(License_Expression="MIT AND PSF-2.0"), "MIT AND PSF-2.0", True),
        (about(License_Expression="(MIT OR GPL-3.0-only) AND ISC"), "(MIT OR GPL-3.0-only) AND ISC", False),
        (about(License_Expression="AGPL-3.0-only"), "AGPL-3.0-only", False),
        (about(Classifier="License :: OSI Approved :: BSD License"), "BSD", True),
        (about(Classifier="License :: Other/Proprietary License", License="Ask us"), "Ask us", False),
        (about(License="MIT-0", Classifier="License :: OSI Approved :: MIT License"), "MIT-0", True),
        (about(Classifier="Programming Language :: Python"), "unknown", False),
    ],
)  # fmt: skip
def test_a_licence_is_told_and_taken_or_not(said: Message, licence: str, taken: bool) -> None:
    assert supply.licence_of(said) == licence  # type: ignore[arg-type]  # the same way of asking
    assert Package("some", licence, "PyPI", True).is_allowed is taken


def test_an_unknown_licence_a_missing_line_and_a_line_too_many_are_faults() -> None:
    bad, new = Package("bad", "SSPL-1.0", "npm", True), Package("new", "MIT", "npm", True)
    page = supply.HEADING + "| left | MIT | npm | running |\n"
    found = supply.faults([bad, new], page)
    assert len(found) == 3
    assert ["bad" in found[0], "new" in found[1], "left" in found[2]] == [True] * 3
    assert supply.faults([new], supply.HEADING + new.line) == []


def test_the_front_end_has_licences_that_are_taken_and_listed() -> None:
    lines = PAGE.read_text().splitlines()
    for package in supply.front_packages():
        assert package.is_allowed, package
        assert package.line in lines, package


def test_a_bill_of_material_names_no_folder_and_tells_tools_apart() -> None:
    bill = supply.scoped(
        {
            "components": [
                {"name": "zhijia", "externalReferences": [{"url": "file:///home/wang/zhijia"}]},
                {"name": "Flask", "externalReferences": [{"url": "https://flask.example/"}]},
                {"name": "pytest"},
            ]
        }
    )
    assert [part["scope"] for part in bill["components"]] == ["required", "required", "excluded"]
    assert "wang" not in json.dumps(bill)
    assert "flask.example" in json.dumps(bill)


CLEAN = '{"dependencies": [{"name": "flask", "version": "3.1.3", "vulns": []}]}'
SKIPPED = '{"dependencies": [{"name": "flask", "skip_reason": "Dependency not found on PyPI"}]}'
WEAK = '{"dependencies": [{"name": "flask", "version": "1.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["1.1"]}]}]}'
FRONT_CLEAN, FRONT_AWAY = '{"auditReportVersion": 2, "vulnerabilities": {}}', '{"error": {"summary": "405"}}'
FRONT_WEAK = '{"vulnerabilities": {"htmx.org": {"severity": "high", "range": "<2.0.4"}}}'


@pytest.mark.parametrize(
    ("python", "front", "code", "said"),
    [
        (CLEAN, FRONT_CLEAN, supply.CLEAN, "nothing is known"),
        (SKIPPED, FRONT_CLEAN, supply.NOT_ASKED, "PyPI: the data on known weaknesses could not be reached"),
        ("", FRONT_CLEAN, supply.NOT_ASKED, "could not be reached"),
        (CLEAN, FRONT_AWAY, supply.NOT_ASKED, "npm: the data on known weaknesses could not be reached"),
        (WEAK, FRONT_AWAY, supply.FOUND, "PYSEC-1, mended in 1.1"),
        (SKIPPED, FRONT_WEAK, supply.FOUND, "htmx.org: high, <2.0.4"),
    ],
)
def test_not_asked_is_told_apart_from_found_and_from_clean(
    python: str, front: str, code: int, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(supply, "_output", lambda command, **_: front if command[0] == "npm" else python)
    assert supply.main(["advisories"]) == code
    assert said in capsys.readouterr().out
