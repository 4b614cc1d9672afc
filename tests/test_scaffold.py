"""``zhijia plugin new``: what it refuses, and that what it writes is good as it is."""

import ast
import subprocess
import sys
from collections.abc import Callable
from configparser import ConfigParser
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from core.config import ROOT, Settings
from core.errors import ConfigError, Refused
from core.plugin.registry import registry_of
from core.plugin.scaffold import making
from core.plugin.scaffold.making import LONGEST_NAME, LONGEST_TITLE, make_plugin
from core.web.messages import catalogue_of, faults
from core.web.testing import environ_of
from tests.installing import make_venv
from tests.plugins_for_tests.reading_club import plugin as reading_club

pytestmark = pytest.mark.services
ZH, EN = "职工书画社", "Painting circles"
LONG = "painting_circles_of_a_uni"


@pytest.fixture
def plugins() -> dict[str, object]:
    """One plugin is loaded; the built-in ones are installed and not loaded."""
    return {"reading_club": reading_club}


def test_a_built_distribution_of_zhijia_has_the_files_of_new_plugins() -> None:
    setup = ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    assert setup["options"]["packages"] == "find_namespace:"  # their folders are no packages
    assert "*.tmpl" in setup["options.package_data"]["*"].split(", ")
    assert {file.suffix for file in making.FILES.rglob("*") if file.is_file()} == {".tmpl"}


def left_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Painting", "small letters, digits and _"),
        ("painting-circles", "small letters, digits and _"),
        ("../painting", "small letters, digits and _"),
        ("2020", "small letters, digits and _"),
        ("core", "the core uses it itself"),
        ("core_more", "the core uses it itself"),  # its tables would pass for the core's
        ("runs", "the core uses it itself"),
        ("class", "a word of Python itself"),
        ("json", "a Python package that is installed"),
        ("sqlalchemy", "a Python package that is installed"),
        ("reading_club", "There is a plugin 'reading_club' already"),
        ("four_seasons", "There is a plugin 'four_seasons' already"),
        ("reading", "cannot be told from 'reading_club'"),
        ("four_seasons_more", "cannot be told from 'four_seasons'"),
        (LONG + "o", f"at most {LONGEST_NAME} letters"),
    ],
)
def test_a_name_that_cannot_be_is_refused(app: Flask, tmp_path: Path, name: str, sentence: str) -> None:
    with pytest.raises(Refused, match=sentence.replace("(", r"\(")):
        make_plugin(name, ZH, EN, tmp_path)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("title", ["", "  ", "长" * (LONGEST_TITLE + 1), 'the "best"', "back\\slash", "two\nlines"])
def test_a_title_that_would_break_the_code_is_refused(app: Flask, tmp_path: Path, title: str) -> None:
    for titles in ((title, EN), (ZH, title)):
        with pytest.raises(Refused, match=r"A title has 1 to [24]0 signs"):
            make_plugin("painting", *titles, tmp_path)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_nothing_that_is_there_is_overwritten(app: Flask, tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "painting")
    with pytest.raises(Refused, match="is there already; nothing was written"):
        make_plugin("painting", ZH, EN, tmp_path)
    assert left_in(tmp_path) == ["painting"]


def test_a_folder_that_is_not_there_is_not_made(app: Flask, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="There is no folder"):
        make_plugin("painting", ZH, EN, tmp_path / "nowhere")


def test_a_disk_that_is_full_leaves_nothing_half_written(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_file: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(making, "compile_file", full)
    with pytest.raises(Refused, match=r"cannot be written \(No space left on device\)"):
        make_plugin("painting", ZH, EN, tmp_path)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "title"), [("ab", "A"), (LONG, "T" * LONGEST_TITLE), ("zither", "Zither & songs, 100%")]
)
def test_what_is_written_has_the_style_of_the_house(app: Flask, tmp_path: Path, name: str, title: str) -> None:
    home = tmp_path / name
    make_plugin(name, ZH, title, tmp_path)
    house = ["--config", str(ROOT / "pyproject.toml"), "--config", f'src=["{home}"]']
    for arguments in (["check", *house], ["check"], ["format", "--check", *house], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
        done = subprocess.run(command, cwd=home, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
    assert list(faults(home / name, catalogue_of(home / name))) == []


def test_the_plugin_imports_nothing_else_of_the_core(app: Flask, tmp_path: Path) -> None:
    make_plugin("painting", ZH, EN, tmp_path)
    found = {
        node.module
        for file in tmp_path.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("core")
    }
    assert found == {"core.api"}


def test_what_is_written_is_typed(app: Flask, tmp_path: Path) -> None:
    make_plugin("painting", ZH, EN, tmp_path)
    done = make_venv(tmp_path / "venv", {}).run(
        sys.executable, "-m", "mypy", "--cache-dir", ROOT / ".mypy_cache" / "scaffold", cwd=tmp_path / "painting"
    )
    assert "no issues found" in done


def test_a_name_that_was_allowed_before_it_was_written_is_free(app: Flask, tmp_path: Path) -> None:
    registry_of(app).failed["painting"] = ConfigError("ZHIJIA_PLUGINS names it, but no such plugin is installed.")
    assert make_plugin("painting", ZH, EN, tmp_path)


def test_the_command_says_what_it_wrote(run_command: Callable[..., Result], tmp_path: Path) -> None:
    arguments = ["plugin", "new", "painting", "--title-zh", ZH, "--title-en", EN, "--into", str(tmp_path)]
    done = run_command(*arguments)
    assert (done.exit_code, done.output.splitlines()[0][:6]) == (0, "wrote ")
    assert str(run_command(*arguments).exception) == f"{tmp_path / 'painting'} is there already; nothing was written."


@pytest.mark.timeout(300)
def test_a_new_plugin_is_installed_checked_and_its_tests_pass(app: Flask, settings: Settings, tmp_path: Path) -> None:
    make_plugin("painting", ZH, EN, tmp_path)
    venv = make_venv(tmp_path / "venv", environ_of(settings))
    venv.install(tmp_path / "painting")
    assert venv.zhijia("plugin", "check", "painting").startswith("painting ok (not migrated yet")
    assert "not allowed painting 0.1.0: set ZHIJIA_PLUGINS=painting" in venv.zhijia("plugin", "list")
    venv = make_venv(tmp_path / "venv", environ_of(settings) | {"ZHIJIA_PLUGINS": "painting"})
    assert "upgraded painting" in venv.zhijia("db", "upgrade")
    assert venv.zhijia("plugin", "check", "painting") == "painting ok\n"
    assert "loaded painting 0.1.0: painting; tables at 0001" in venv.zhijia("plugin", "list")
    # Away from the folder that the package was made in: the tests try what is installed.
    (tmp_path / "painting" / "tests").rename(tmp_path / "venv" / "tests")
    own = make_venv(tmp_path / "venv", {})  # with servers of its own, not those of this test run
    assert " passed" in own.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests")
    venv.uninstall("zhijia-painting")
    assert "ZHIJIA_PLUGINS names it, but no such plugin is installed" in venv.zhijia("plugin", "list")
    assert "painting has tables here, but no loaded plugin owns them" in venv.zhijia("db", "current")
