"""Revisions of a plugin: written from its models, taken back, and refused where they are not one line."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy import BigInteger, Column, Integer, Table, Text, create_engine, inspect, text
from sqlalchemy.exc import OperationalError

from core.cli import zhijia
from core.database import metadata, of_nobody
from core.errors import ConfigError, ZhijiaError
from core.extensions import db
from core.plugin.hookspecs import hookimpl
from core.plugin.migrate import CORE, LOCK, Owner, current, differences, history, upgrade
from core.plugin.registry import registry_of
from core.plugin.revisions import take_back, write_revision
from core.plugin.tables import owners, with_foundations
from tests.plugins_for_tests.made import program
from tests.plugins_for_tests.reading_club import plugin as reading_club

pytestmark = [pytest.mark.services, pytest.mark.as_owner]
HEAD = 'from alembic import op\nrevision, down_revision = "{}", {!r}\n'
STEP = 'def upgrade():\n    op.execute("{}")\ndef downgrade():\n    op.execute("{}")\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of the choir's revisions: two that work."""
    (tmp_path / "0001_song.py").write_text(
        HEAD.format("0001", None)
        + STEP.format("CREATE TABLE choir_song (id integer PRIMARY KEY)", "DROP TABLE choir_song")
    )
    (tmp_path / "0002_title.py").write_text(
        HEAD.format("0002", "0001")
        + STEP.format("ALTER TABLE choir_song ADD title text", "ALTER TABLE choir_song DROP title")
    )
    return tmp_path


@pytest.fixture
def choir(folder: Path) -> Owner:
    return Owner("choir", folder)


@pytest.fixture
def plugins(folder: Path) -> dict[str, object]:
    """The reading clubs and the choir."""

    @hookimpl
    def programs() -> list[object]:
        return [program("choir")]

    @hookimpl
    def migrations() -> Path:
        return folder

    return {"reading_club": reading_club, "choir": SimpleNamespace(programs=programs, migrations=migrations)}


@pytest.fixture
def app(app: Flask) -> Flask:
    """The application, as if nobody had upgraded these plugins yet."""
    for owner in owners():
        if owner != CORE:
            take_back(db.engine, owner, [], "base")
    return app


@pytest.fixture
def song() -> Iterator[Table]:
    """The model of the choir: what its two revisions make."""
    columns = Column("id", Integer, primary_key=True), Column("title", Text)
    table = Table("choir_song", metadata, *columns, info=of_nobody("a test"))
    yield table
    for name in [name for name in metadata.tables if name.startswith("choir_")]:
        metadata.remove(metadata.tables[name])


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names())


def here(owner: Owner) -> str | None:
    with db.engine.connect() as connection:
        return current(owner, connection)


def run(app: Flask, *words: str, say: str | None = None) -> tuple[int, str]:
    """The exit code and what it printed, or the sentence that :func:`core.cli.main` would print."""
    result = app.test_cli_runner().invoke(zhijia, ["db", *words], input=say)
    if isinstance(result.exception, ZhijiaError):
        return 2, str(result.exception)
    return result.exit_code, result.output


def test_the_next_revision_is_written_from_the_models(app: Flask, choir: Owner, song: Table) -> None:
    upgrade(db.engine, owners())
    song.append_column(Column("year", BigInteger, nullable=False, server_default="2014"))
    code, output = run(app, "revision", "--plugin", "choir", "-m", "Year of a song")
    assert (code, output) == (0, f"wrote {choir.versions / '0003_year_of_a_song.py'}\n")
    source = (choir.versions / "0003_year_of_a_song.py").read_text()
    assert "down_revision = '0002'" in source
    assert "core_" not in source
    assert run(app, "upgrade", "--plugin", "choir") == (0, "upgraded choir\n")
    with db.engine.connect() as connection:
        assert differences(choir, connection) == []
    assert run(app, "check", "--plugin", "choir") == (0, "choir ok\n")


def test_the_first_revision_is_written_into_an_empty_folder(app: Flask, choir: Owner, song: Table) -> None:
    for file in choir.versions.glob("*.py"):
        file.unlink()
    assert write_revision(db.engine, choir, "songs").name == "0001_songs.py"
    assert "choir_alembic" not in tables()
    done = upgrade(db.engine, [CORE, choir])
    assert (done.moved, done.failed) == (["choir"], {})


def test_a_number_that_is_taken_is_passed_over(app: Flask, choir: Owner, song: Table) -> None:
    (choir.versions / "0002_title.py").rename(choir.versions / "0003_title.py")
    file = choir.versions / "0003_title.py"
    file.write_text(file.read_text().replace('"0002"', '"0003"'))
    upgrade(db.engine, owners())
    song.append_column(Column("year", Integer))
    assert write_revision(db.engine, choir, "year").name == "0004_year.py"


def test_no_revision_is_written_where_the_tables_are_behind(app: Flask, choir: Owner, song: Table) -> None:
    code, output = run(app, "revision", "--plugin", "choir", "-m", "year")
    assert (code, output) == (
        2,
        "The tables of choir are at none, its newest revision is 0002; run first: zhijia db upgrade",
    )


def test_no_revision_is_written_where_nothing_differs(app: Flask, choir: Owner, song: Table) -> None:
    upgrade(db.engine, owners())
    code, output = run(app, "revision", "--plugin", "choir", "-m", "year")
    assert (code, output) == (2, "The models and the tables of choir agree; there is nothing to write.")
    assert len(list(choir.versions.glob("*.py"))) == 2


def test_a_folder_that_cannot_be_written_is_one_sentence(app: Flask, choir: Owner, song: Table) -> None:
    upgrade(db.engine, owners())
    song.append_column(Column("year", Integer))
    (choir.versions / "0003_year.py").mkdir()  # as root may write everywhere else
    code, output = run(app, "revision", "--plugin", "choir", "-m", "year")
    assert (code, output) == (2, f"The folder {choir.versions} cannot be written (Is a directory).")


def test_one_step_is_taken_back_then_another_and_at_the_base_nothing_remains(app: Flask, choir: Owner) -> None:
    upgrade(db.engine, owners())
    assert run(app, "downgrade", "--plugin", "choir", "--yes") == (0, "choir 0001\n")
    assert [column["name"] for column in inspect(db.engine).get_columns("choir_song")] == ["id"]
    assert run(app, "downgrade", "--plugin", "choir", "--yes") == (0, "choir none\n")
    assert not [name for name in tables() if name.startswith("choir")]
    assert run(app, "downgrade", "--plugin", "choir", "--yes") == (
        2,
        "choir has no tables here; there is nothing to take back.",
    )
    assert "reading_club_book" in tables()
    assert upgrade(db.engine, owners()).moved == ["choir"]


def test_all_is_taken_back_at_once(app: Flask, choir: Owner) -> None:
    upgrade(db.engine, owners())
    assert run(app, "downgrade", "--plugin", "choir", "--to", "base", "--yes") == (0, "choir none\n")
    assert not [name for name in tables() if name.startswith("choir")]


def test_tables_that_the_revisions_leave_behind_are_named(app: Flask, choir: Owner) -> None:
    upgrade(db.engine, owners())
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE choir_stray (id integer)"))
    assert take_back(db.engine, choir, owners(), "base") == ["choir_stray"]


@pytest.mark.parametrize("say", ["n\n", "\n", ""])
def test_who_does_not_say_yes_keeps_the_tables(app: Flask, choir: Owner, say: str) -> None:
    upgrade(db.engine, owners())
    code, output = run(app, "downgrade", "--plugin", "choir", say=say)
    assert code == 1
    assert "everything in them" in output
    assert here(choir) == "0002"


def test_who_says_yes_does_not(app: Flask, choir: Owner) -> None:
    upgrade(db.engine, owners())
    assert run(app, "downgrade", "--plugin", "choir", say="y\n")[0] == 0
    assert here(choir) == "0001"


@pytest.mark.parametrize("to", ["0002", "0009", "head", "-1", ""])
def test_only_what_lies_before_can_be_gone_back_to(app: Flask, choir: Owner, to: str) -> None:
    upgrade(db.engine, owners())
    code, output = run(app, "downgrade", "--plugin", "choir", "--to", to, "--yes")
    assert (code, output) == (2, "The tables of choir are at 0002; before it there are base, 0001.")


def test_tables_of_a_newer_version_of_the_plugin_are_not_touched(app: Flask, choir: Owner) -> None:
    upgrade(db.engine, owners())
    (choir.versions / "0002_title.py").unlink()
    code, output = run(app, "downgrade", "--plugin", "choir", "--yes")
    assert (code, output) == (2, "The tables of choir are at 0002, which the plugin that is installed does not know.")


def test_the_core_is_not_taken_back(app: Flask) -> None:
    code, output = run(app, "downgrade", "--plugin", "core")
    assert code == 2
    assert output.startswith("The tables of the core carry everybody's")


def test_what_another_needs_is_not_taken_back_while_that_has_tables(app: Flask, choir: Owner) -> None:
    clubs = Owner("reading_club", Path(reading_club.__file__).parent / "migrations", frozenset({"choir"}))
    upgrade(db.engine, [CORE, choir, clubs])
    with pytest.raises(ZhijiaError, match="reading_club needs the tables of choir; take its own back first"):
        take_back(db.engine, choir, [CORE, choir, clubs])
    assert here(choir) == "0002"
    take_back(db.engine, clubs, [CORE, choir, clubs], "base")
    take_back(db.engine, choir, [CORE, choir, clubs], "base")
    assert here(choir) is None


def test_a_step_back_that_fails_leaves_all_as_it_was(app: Flask, choir: Owner) -> None:
    upgrade(db.engine, owners())
    file = choir.versions / "0001_song.py"
    file.write_text(file.read_text().replace("DROP TABLE choir_song", "DROP NONSENSE"))
    code, output = run(app, "downgrade", "--plugin", "choir", "--to", "base", "--yes")
    assert code == 2
    assert output.startswith("choir stays as it was; taking it back failed: ProgrammingError")
    assert here(choir) == "0002"
    assert "title" in [column["name"] for column in inspect(db.engine).get_columns("choir_song")]


def test_writing_and_taking_back_wait_for_others(app: Flask, choir: Owner, song: Table) -> None:
    upgrade(db.engine, owners())
    song.append_column(Column("year", Integer))
    impatient = create_engine(db.engine.url, connect_args={"options": "-c lock_timeout=200"})
    with db.engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(OperationalError, match="lock timeout"):
            write_revision(impatient, choir, "year")
        with pytest.raises(OperationalError, match="lock timeout"):
            take_back(impatient, choir, owners())
    impatient.dispose()
    assert here(choir) == "0002"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (HEAD.format("0003", "0001"), "The revisions of choir are not one line: 0002 and 0003 both end it."),
        (HEAD.format("0003", None), "The revisions of choir are not one line: 0002 and 0003 both end it."),
        (HEAD.format("0003", "0002") + 'branch_labels = ("songs",)\n', "The revision 0003 of choir has a branch label"),
        (HEAD.format("0003", "0002") + 'depends_on = "0001"\n', "The revision 0003 of choir has depends_on"),
        (HEAD.format("0003", "0007"), "The revisions of choir cannot be read: "),
        ("revision = '0003'\nraise SystemExit(3)\n", "The revisions of choir cannot be read: SystemExit: 3"),
        ("def upgrade(:\n", "The revisions of choir cannot be read: SyntaxError"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_what_is_not_one_line_is_refused_by_name_and_stops_nobody_else(
    app: Flask, choir: Owner, source: str, sentence: str
) -> None:
    (choir.versions / "0003_more.py").write_text(source)
    code, output = run(app, "upgrade")
    assert (code, output.splitlines()[0]) == (1, "upgraded reading_club")
    assert f"failed choir: {sentence}" in output
    assert "choir_song" not in tables()
    assert f"choir none ({sentence}" in run(app, "current")[1]
    code, output = run(app, "revision", "--plugin", "choir", "-m", "x")
    assert (code, output.startswith(sentence)) == (2, True)


def test_two_lines_that_join_are_refused(app: Flask, choir: Owner) -> None:
    (choir.versions / "0003_side.py").write_text(HEAD.format("0003", "0001"))
    (choir.versions / "0004_join.py").write_text(
        'from alembic import op\nrevision, down_revision = "0004", ("0002", "0003")\n'
    )
    with pytest.raises(ConfigError, match="The revision 0004 of choir joins two lines"):
        history(choir)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_files_of_one_revision_are_refused(app: Flask, choir: Owner) -> None:
    (choir.versions / "0002_other.py").write_text(HEAD.format("0002", "0001"))
    with pytest.raises(ConfigError, match="have the same revision"):
        history(choir)


@pytest.mark.parametrize("words", [("upgrade",), ("current",), ("check",), ("revision", "-m", "x"), ("downgrade",)])
def test_an_unknown_plugin_is_one_sentence_with_what_there_is(app: Flask, words: tuple[str, ...]) -> None:
    code, output = run(app, *words, "--plugin", "chess")
    assert (code, output) == (
        2,
        "No loaded plugin with tables is called 'chess'; there are core, reading_club, choir.",
    )
    registry_of(app).failed["chess"] = ConfigError("No board.")
    assert run(app, *words, "--plugin", "chess") == (2, "The plugin 'chess' is in quarantine: No board.")


def test_one_plugin_is_upgraded_and_shown_alone(app: Flask, choir: Owner) -> None:
    assert run(app, "upgrade", "--plugin", "choir") == (0, "upgraded choir\n")
    assert "reading_club_book" not in tables()
    assert run(app, "current", "--plugin", "choir") == (0, "choir 0002\n")
    assert run(app, "current", "--plugin", "reading_club") == (
        0,
        "reading_club none (newest is 0003; run: zhijia db upgrade)\n",
    )
    code, output = run(app, "current", "--plugin", "core")
    assert (code, len(output.splitlines())) == (0, 1)


def test_one_plugin_is_upgraded_with_what_it_stands_on(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    every = [CORE, *(Owner(name, Path(), frozenset(after)) for name, after in CHAIN.items())]
    monkeypatch.setattr("core.plugin.tables.owners", lambda: every)
    names = {name: [owner.name for owner in with_foundations(name)] for name in ("a", "b", "c", "core")}
    assert names == {"a": ["core", "a"], "b": ["core", "b"], "c": ["core", "a", "c"], "core": ["core"]}


CHAIN = {"a": (), "b": (), "c": ("a",)}
