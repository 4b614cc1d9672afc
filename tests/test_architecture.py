"""Rules of the house that no other tool checks, read from the source itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.config import ROOT

CODE = sorted(
    file for folder in ("core", "plugins", "migrations", "bench", "tests") for file in (ROOT / folder).rglob("*.py")
)
HOUSE = [file for file in CODE if file.relative_to(ROOT).parts[0] in ("core", "plugins")]
REQUEST = {"request", "session", "g", "current_user"}
WRITING = {"add", "add_all", "commit", "delete", "flush", "merge"}
LONGEST_FILE = 400
LONGEST_FUNCTION = 60


def named(*names: str) -> list[Path]:
    """The modules of this kind: a file of that name, or a package of that name."""
    return [file for file in HOUSE if file.stem in names or file.parent.name in names]


def walk(file: Path) -> Iterator[ast.AST]:
    return ast.walk(ast.parse(file.read_text()))


def place(file: Path, node: ast.AST) -> str:
    return f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)}"


def is_session(node: ast.expr) -> bool:
    """Whether it is ``db.session``."""
    return isinstance(node, ast.Attribute) and node.attr == "session" and ast.unparse(node.value) == "db"


def of_the_request(file: Path) -> Iterator[str]:
    """Where a module takes what belongs to one request of the web."""
    for node in walk(file):
        if isinstance(node, ast.ImportFrom) and node.module in ("flask", "flask_login"):
            yield from (f"{place(file, node)} {name.name}" for name in node.names if name.name in REQUEST)


def writes(file: Path) -> Iterator[str]:
    """Where a module calls a method of ``db.session`` that writes, or makes a statement that does."""
    for node in walk(file):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if is_session(node.func.value) and node.func.attr in WRITING:
                yield f"{place(file, node)} db.session.{node.func.attr}"
        elif isinstance(node, ast.ImportFrom) and node.module in ("sqlalchemy", "sqlalchemy.dialects.postgresql"):
            made = {"insert", "update", "delete"} & {name.name for name in node.names}
            yield from (f"{place(file, node)} {name}" for name in sorted(made))


def sessions(file: Path) -> Iterator[str]:
    """Where a module uses ``db.session`` at all."""
    yield from (place(file, node) for node in walk(file) if isinstance(node, ast.expr) and is_session(node))


def test_services_queries_and_models_take_nothing_from_the_request() -> None:
    assert [found for file in named("services", "queries", "models") for found in of_the_request(file)] == []


def test_queries_never_write() -> None:
    assert [found for file in named("queries") for found in writes(file)] == []


def test_views_leave_the_database_to_services_and_queries() -> None:
    assert [found for file in named("views") for found in sessions(file)] == []


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (of_the_request, "from flask import g, Flask"),
        (of_the_request, "from flask_login import current_user"),
        (writes, "from core.extensions import db\ndb.session.commit()"),
        (writes, "from sqlalchemy import select, update"),
        (sessions, "from core.extensions import db\nrows = db.session.scalars(1)"),
    ],
)
def test_each_check_can_fail(check: object, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(check)
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    (tmp_path / "module.py").write_text(source)
    assert len(list(check(tmp_path / "module.py"))) == 1


def test_no_file_is_too_long() -> None:
    lengths = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in CODE}
    migrations = {name for name in lengths if "/versions/" in name}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE and name not in migrations} == {}


def test_functions_are_short() -> None:
    """Nineteen of twenty have less than thirty lines, and none is longer than a screen."""
    lines = {
        f"{place(file, node)} {node.name}": (node.end_lineno or 0) - node.lineno + 1
        for file in HOUSE
        for node in walk(file)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and "migrations" not in file.parts
    }
    assert sorted(lines.values())[len(lines) * 95 // 100] < 30
    assert {name: length for name, length in lines.items() if length > LONGEST_FUNCTION} == {}
