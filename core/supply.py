"""What the program is made of that others wrote: ``python -P core/supply.py COMMAND``.

``lock`` resolves the Python packages of setup.cfg into the two lock files, each version with its digests;
``licences`` writes docs/licences.md, ``check`` refuses what that list does not know or the house does not take;
``sbom`` writes the bills of material into ``build/``; ``advisories`` asks for known weaknesses.

The lock files say which packages there are: :data:`RUNNING` what an installation needs, :data:`ALL` the tools of
development besides, package-lock.json what browsers get.
"""

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

#: This file is run by itself (``python -P``): the packages it is about need not be there yet.
ROOT = Path(__file__).resolve().parents[1]

USAGE = "usage: python -P core/supply.py lock [OPTIONS OF uv] | licences | check | sbom | advisories\n"
RUNNING, ALL = "requirements.txt", "requirements-dev.txt"
PAGE = ROOT / "docs" / "licences.md"
#: Exit codes of ``advisories``.
CLEAN, FOUND, NOT_ASKED = 0, 1, 2

#: What the house takes: licences that ask for no more than their text, and those whose duty ends at the package
#: itself (MPL, LGPL), as all of them are installed apart and unchanged. Not GPL, AGPL, SSPL or "source available".
ALLOWED = frozenset(
    {
        "0BSD", "Apache-2.0", "BSD", "BSD-2-Clause", "BSD-3-Clause", "ISC", "LGPL-2.1-or-later", "LGPL-3.0-only", "MIT",
        "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Public Domain",
    }
)  # fmt: skip
#: What packages say that name no SPDX expression: a classifier, or a few words.
WORDS = {
    "Apache Software License": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "BSD License": "BSD",
    "BSD 2-Clause License": "BSD-2-Clause",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Public Domain": "Public Domain",
    "Python Software Foundation License": "PSF-2.0",
}
#: npm packages whose licence the lock file does not know, as it was read in the package itself.
READ = {
    "@tabler/icons-webfont": "MIT",  # its file LICENSE
    "china-geojson": "MIT",  # its package.json, under "licenses", a name that npm does not read
}
HEADING = """# Licences

Every package that Zhijia is made of, written by `make licences` from the lock files and from what the packages say of
themselves. `make check` fails for a licence that is unknown or not taken: what is taken is `ALLOWED` in
[core/supply.py](../core/supply.py). BSD stands for packages that do not say which of its forms. The lock files have the
versions.

| package | licence | from | used |
|---|---|---|---|
"""


@dataclass(frozen=True, order=True, slots=True)
class Package:
    """A package with its licence; ``source`` is PyPI or npm. None used while running is a tool of development."""

    name: str
    licence: str
    source: str
    running: bool

    @property
    def is_allowed(self) -> bool:
        """Whether the house takes every licence that the expression names, be it one of a choice."""
        parts = re.split(r"\s+(?:AND|OR)\s+", self.licence.replace("(", " ").replace(")", " "))
        return all(part.strip() in ALLOWED for part in parts)

    @property
    def line(self) -> str:
        """Its line of the page."""
        return f"| {self.name} | {self.licence} | {self.source} | {'running' if self.running else 'development'} |"


def locked(file: str, root: Path = ROOT) -> list[Requirement]:
    """The packages of a lock file, in order, those for other systems included."""
    lines = (root / file).read_text().splitlines()
    return [Requirement(line.rstrip("\\ ")) for line in lines if line[:1].isalnum()]


def licence_of(about: PackageMetadata) -> str:
    """What a package says of its licence, as an SPDX expression where it can be told; else its own words."""
    if "License-Expression" in about:
        return about["License-Expression"]
    classifiers = [line.rpartition(" :: ")[2] for line in about.get_all("Classifier") or [] if line[:7] == "License"]
    said = about["License"].strip().split("\n")[0] if "License" in about else ""
    if said in ALLOWED:
        return said
    known = sorted({WORDS[line] for line in classifiers if line in WORDS})
    return " AND ".join(known) or WORDS.get(said) or said or "unknown"


def python_packages() -> list[Package]:
    """The locked packages that are installed here; those for other systems and other Pythons are not."""
    running, found = {canonicalize_name(one.name) for one in locked(RUNNING)}, []
    for one in locked(ALL):
        try:
            about = metadata(one.name)
        except PackageNotFoundError:
            if one.marker is None or one.marker.evaluate():
                raise
        else:
            name = canonicalize_name(one.name)
            found.append(Package(name, licence_of(about), "PyPI", name in running))
    return found


def front_packages(root: Path = ROOT) -> list[Package]:
    """The packages of package-lock.json, which names their licences."""
    packages: dict[str, dict[str, Any]] = json.loads((root / "package-lock.json").read_text())["packages"]
    named = {path.rpartition("node_modules/")[2]: about for path, about in packages.items() if path}
    return [
        Package(name, str(about.get("license") or READ.get(name, "unknown")), "npm", not about.get("dev"))
        for name, about in named.items()
    ]


def faults(packages: Iterable[Package], page: str) -> list[str]:
    """What is wrong with the licences, or with the page that lists them."""
    lines, found = set(page.splitlines()), []
    for package in packages:
        if not package.is_allowed:
            found.append(f"{package.name}: the licence {package.licence!r} is not taken")
        elif package.line not in lines:
            found.append(f"{package.name}: not in docs/licences.md as it is; run: make licences")
    names = {package.name for package in packages} | {canonicalize_name(one.name) for one in locked(ALL)}
    gone = {line.split(" | ")[0][2:] for line in lines if line.startswith("| ") and " | licence | " not in line} - names
    return found + [f"{name}: is gone; run: make licences" for name in sorted(gone)]


def lock(options: Sequence[str]) -> None:
    """Resolve setup.cfg for every system and every Python from 3.11 on; what is locked stays unless ``--upgrade``."""
    command = [
        sys.executable, "-m", "uv", "pip", "compile", "setup.cfg", "--universal", "--python-version", "3.11",
        "--generate-hashes", "--no-annotate", "--quiet", "--custom-compile-command", "make lock", "--extra", "build",
    ]  # fmt: skip
    subprocess.run([*command, "-o", RUNNING, *options], cwd=ROOT, check=True)
    subprocess.run([*command, "--extra", "dev", "-c", RUNNING, "-o", ALL, *options], cwd=ROOT, check=True)


def sbom(folder: Path) -> None:
    """Write the two bills of material: of what is installed with this Python, and of the front end."""
    folder.mkdir(exist_ok=True)
    make = ["cyclonedx_py", "environment", "--output-reproducible", "--spec-version", "1.6", sys.executable]
    _write(folder / "sbom-python.json", scoped(json.loads(_output([sys.executable, "-m", *make]))))
    front = json.loads(_output(["npm", "sbom", "--sbom-format", "cyclonedx", "--package-lock-only"]))
    front["metadata"]["component"]["name"] = "zhijia"  # npm calls it after the folder
    _write(folder / "sbom-npm.json", front)


def scoped(bill: dict[str, Any]) -> dict[str, Any]:
    """The bill with what is used while running apart from the tools, and without folders of this machine."""
    running = {canonicalize_name(one.name) for one in locked(RUNNING)} | {"zhijia"}
    for part in bill["components"]:
        part["scope"] = "required" if canonicalize_name(part["name"]) in running else "excluded"
        links = part.get("externalReferences", [])  # a package of a checkout names the folder it came from
        part["externalReferences"] = [link for link in links if not link["url"].startswith("file:")]
    return bill


def python_advisories(report: str) -> tuple[list[str], bool]:
    """What pip-audit found (its JSON), and whether it could look up every package."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError):
        return [], False
    found = [
        f"{one['name']} {one['version']}: {weakness['id']}, mended in {', '.join(weakness['fix_versions']) or 'none'}"
        for one in packages
        for weakness in one.get("vulns", [])
    ]
    return found, not any("skip_reason" in one for one in packages)


def front_advisories(report: str) -> tuple[list[str], bool]:
    """What npm audit found (its JSON), and whether it could ask."""
    try:
        weaknesses = json.loads(report)["vulnerabilities"]
    except (ValueError, KeyError):
        return [], False
    return [f"{name}: {one['severity']}, {one['range']}" for name, one in weaknesses.items()], True


def advisories() -> int:
    """Tell what is known of the packages; :data:`NOT_ASKED` where nothing was found but not all could be asked."""
    asked = ["-r", ALL, "--no-deps", "--disable-pip", "--progress-spinner", "off", "--format", "json"]
    reports = {
        "PyPI": python_advisories(_output([sys.executable, "-m", "pip_audit", *asked], may_fail=True)),
        "npm": front_advisories(_output(["npm", "audit", "--package-lock-only", "--json"], may_fail=True)),
    }
    for source, (found, complete) in reports.items():
        sys.stdout.writelines(f"{source}: {line}\n" for line in found)
        if not complete:
            sys.stdout.write(f"{source}: the data on known weaknesses could not be reached for every package\n")
        elif not found:
            sys.stdout.write(f"{source}: nothing is known against any package\n")
    if any(found for found, _complete in reports.values()):
        return FOUND
    return CLEAN if all(complete for _found, complete in reports.values()) else NOT_ASKED


def _output(command: Sequence[str], *, may_fail: bool = False) -> str:
    """What a command prints; its other words are shown only when it may not fail."""
    quiet = subprocess.DEVNULL if may_fail else None
    done = subprocess.run(command, cwd=ROOT, check=not may_fail, stdout=subprocess.PIPE, stderr=quiet, text=True)
    return done.stdout


def _write(file: Path, bill: dict[str, Any]) -> None:
    file.write_text(json.dumps(bill, ensure_ascii=False, indent=1, sort_keys=True) + "\n")


def main(arguments: list[str]) -> int:
    """Run a command."""
    match arguments:
        case ["lock", *options]:
            lock(options)
        case ["licences"]:
            packages = sorted(python_packages() + front_packages())
            PAGE.write_text(HEADING + "".join(f"{package.line}\n" for package in packages))
        case ["check"]:
            found = faults(python_packages() + front_packages(), PAGE.read_text())
            sys.stderr.writelines(f"{line}\n" for line in found)
            return 1 if found else 0
        case ["sbom"]:
            sbom(ROOT / "build")
        case ["advisories"]:
            return advisories()
        case _:
            sys.stderr.write(USAGE)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
