"""``zhijia plugin list`` and ``zhijia plugin check``, and the page of plugins: what they say of which plugin."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import text

from core.cli import zhijia
from core.config import EXTENSION, settings_of
from core.database import metadata
from core.errors import ZhijiaError
from core.extensions import db
from core.org.models import Org
from core.plugin.registry import registry_of
from core.users.testing import AsUser
from tests.plugins_for_tests.made import plugin, program
from tests.plugins_for_tests.reading_club import plugin as reading_club
from tests.test_distributions import shipped

pytestmark = pytest.mark.services
PLUGIN = """
from flask import Blueprint
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import DeclarativeBase, Mapped
from core.api import TYPES, BigId, Program, hookimpl, metadata, of_nobody

blueprint = Blueprint("choir", __name__, template_folder="templates")

class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = TYPES

class Song(Base):
    __tablename__ = "choir_song"
    __table_args__ = ({"info": of_nobody("a test")},)
    id: Mapped[BigId]

@hookimpl
def programs():
    return [Program(code="choir", title=_l("Choirs"), title_zh="合唱团", title_en="Choirs")]

@hookimpl
def blueprints():
    return {"choir": blueprint}
"""


@pytest.fixture
def plugins() -> dict[str, object]:
    """The reading clubs, and a plugin with nothing in it."""
    return {"reading_club": reading_club, "empty": plugin(programs=[program("empty")])}


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[EntryPoint]]:
    """What is installed; nothing, until the test says so."""
    points: list[EntryPoint] = []
    monkeypatch.setattr("core.plugin.distributions.entry_points", lambda **_group: points)
    yield points
    for name in [name for name in metadata.tables if name.startswith("choir_")]:
        metadata.remove(metadata.tables[name])


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(zhijia, ["plugin", *words])
    if isinstance(result.exception, ZhijiaError):
        return 2, str(result.exception)
    return result.exit_code, result.output


def test_the_list_says_what_is_loaded_what_is_not_and_why(app: Flask, installed: list[EntryPoint]) -> None:
    registry_of(app).failed["choir"] = ImportError("no voices")
    registry_of(app).versions["reading_club"] = "1.5"
    installed.append(shipped())
    assert run(app, "list") == (
        0,
        "loaded reading_club 1.5: reading_club; tables at 0003\n"
        "loaded empty: empty\n"
        "quarantined choir: ImportError: no voices\n"
        "not allowed books 1.2: set ZHIJIA_PLUGINS=books to load it\n",
    )


@pytest.mark.as_owner
def test_the_list_says_where_tables_are_behind(app: Flask, installed: list[EntryPoint]) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP TABLE reading_club_book, reading_club_alembic"))
    line = "loaded reading_club: reading_club; tables at none; newest is 0003, run: zhijia db upgrade"
    assert run(app, "list")[1].splitlines()[0] == line
    code, output = run(app, "check", "reading_club")
    assert code == 0
    assert output.startswith("reading_club ok (not migrated yet; run: zhijia db upgrade --plugin reading_club)")


def test_what_is_in_order_is_ok(app: Flask, installed: list[EntryPoint]) -> None:
    assert run(app, "check", "empty") == (0, "empty ok\n")


def test_the_built_in_plugins_are_in_order(app: Flask) -> None:
    """But for their translations, which ``python -m core.web.messages check`` looks at."""
    output = run(app, "check", "four_seasons")[1]
    assert [line for line in output.splitlines() if "not translated" not in line] in ([], ["four_seasons ok"])


def test_models_and_tables_that_differ_are_found(app: Flask, installed: list[EntryPoint]) -> None:
    code, output = run(app, "check")  # reading_club has a table for which it has no model
    assert (code, output) == (1, "empty ok\nreading_club: models and tables differ: remove_table reading_club_book\n")


def test_an_unknown_name_is_one_sentence_with_what_there_is(app: Flask, installed: list[EntryPoint]) -> None:
    sentence = "No plugin that is installed is called 'chess'; there are empty, reading_club."
    assert run(app, "check", "chess") == (2, sentence)


def test_a_plugin_in_quarantine_is_not_ok(app: Flask, installed: list[EntryPoint]) -> None:
    registry_of(app).failed["choir"] = ImportError("no voices")
    assert run(app, "check", "choir") == (1, "choir: ImportError: no voices\n")


def test_one_that_is_not_allowed_yet_is_tried_and_its_distribution_looked_at(
    app: Flask, installed: list[EntryPoint]
) -> None:
    installed.append(shipped(module="tests.plugins_for_tests.broken.menu_raises"))
    range_missing = (
        "books: Its distribution does not say for which zhijia it is written (install_requires = zhijia>=0.1,<0.2).\n"
    )
    assert run(app, "check", "books") == (1, range_missing)
    installed[:] = [shipped("zhijia>=0.0.1", module="tests.plugins_for_tests.broken.menu_raises")]
    assert run(app, "check", "books") == (0, "books ok\n")
    assert "books" not in registry_of(app).plugins
    installed[:] = [shipped("zhijia>=7", module="tests.plugins_for_tests.broken.too_new")]
    code, output = run(app, "check", "books")
    assert (code, output.startswith("books: It is written for zhijia >=7; this is ")) == (1, True)


def test_templates_texts_and_tables_without_migrations_are_looked_at(
    app: Flask, installed: list[EntryPoint], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "choir_of_a_test"
    (folder / "templates" / "choir").mkdir(parents=True)
    (folder / "__init__.py").touch()
    (folder / "plugin.py").write_text(PLUGIN)
    (folder / "templates" / "choir" / "songs.html").write_text("{{ _('Songs') }}\n{% if %}")
    (folder / "templates" / "choir" / "fine.html").write_text("{{ 1 | number }}")
    (folder / "templates" / "choir" / "filter.html").write_text("{{ 1 | loudly }}")
    (folder / "templates" / "choir" / "latin.html").write_bytes(b"caf\xe9")
    monkeypatch.syspath_prepend(tmp_path)
    point = EntryPoint("choir", "choir_of_a_test.plugin", "zhijia.plugins")
    vars(point)["dist"] = SimpleNamespace(version="1.2", requires=["zhijia>=0.0.1"])
    installed.append(point)
    code, output = run(app, "check", "choir")
    assert code == 1
    assert output.splitlines() == [
        "choir: It has the table choir_song and no migrations.",
        "choir: The template choir/filter.html, line 1: No filter named 'loudly'.",
        "choir: The template choir/latin.html is not text in UTF-8.",
        "choir: The template choir/songs.html, line 2: Expected an expression, got 'end of statement block'",
    ]
    for name in ("filter", "latin", "songs"):
        (folder / "templates" / "choir" / f"{name}.html").write_text("{{ _('Songs') }}")
    assert run(app, "check", "choir")[1].splitlines()[1:] == [
        "choir: plugin.py: not translated: 'Choirs'",
        "choir: templates/choir/filter.html: not translated: 'Songs'",
    ]
    (folder / "views.py").write_bytes(b"caf\xe9")
    assert "choir: Its texts cannot be read: " in run(app, "check", "choir")[1]


def test_revisions_that_are_not_one_line_are_found(app: Flask, installed: list[EntryPoint], tmp_path: Path) -> None:
    (tmp_path / "0001_a.py").write_text('revision, down_revision = "0001", None\n')
    (tmp_path / "0002_b.py").write_text('revision, down_revision = "0002", None\n')
    registry_of(app).add("choir", plugin(migrations=tmp_path))
    assert run(app, "check", "choir") == (
        1,
        "choir: The revisions of choir are not one line: 0001 and 0002 both end it.\n",
    )


def test_the_page_says_all_of_this(
    app: Flask, small_tree: dict[str, Org], installed: list[EntryPoint], as_user: AsUser, tmp_path: Path
) -> None:
    installed.append(shipped())
    app.extensions[EXTENSION] = replace(settings_of(), plugins=("reading_club",))
    registry_of(app).failed["chess"] = ImportError("no board")
    registry_of(app).versions["reading_club"] = "1.5"
    (tmp_path / "0001_a.py").write_text('revision, down_revision = "0001", None\n')
    registry_of(app).add("choir", plugin(migrations=tmp_path))
    page = as_user("admin").get("/admin/plugins/").text
    for words in (
        "ImportError: no board",
        "1.5",
        "Books for everybody",
        "Count books",
        "zhijia db upgrade",
        "bg-orange-lt",
        "0001",
        "bg-green-lt",
        "ZHIJIA_PLUGINS=reading_club,books",
    ):
        assert words in page, words


def test_the_page_needs_the_administrator(app: Flask, small_tree: dict[str, Org], as_user: AsUser) -> None:
    assert as_user("clerk").get("/admin/plugins/").status_code == 403
