"""Migrations: a version table an owner, nothing uncovered, strangers left alone, a broken plugin breaks only itself."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Column, Integer, Table, create_engine, inspect, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from core.cli import zhijia
from core.database import metadata
from core.errors import ZhijiaError
from core.extensions import db
from core.plugin.migrate import CORE, LOCK, Owner, current, differences, head, strangers, upgrade
from core.plugin.registry import registry_of
from core.plugin.tables import migrate_all, owners
from tests.plugins_for_tests.reading_club import plugin as reading_club

BROKEN = """
from alembic import op
revision, down_revision = "0001", None
def upgrade():
    op.execute("CREATE TABLE choir_song (id bigint)")
    op.execute("CREATE NONSENSE")
"""

pytestmark = [pytest.mark.services, pytest.mark.as_owner]


@pytest.fixture
def choir(tmp_path: Path) -> Owner:
    """A plugin whose migration fails after its first statement."""
    (tmp_path / "0001_broken.py").write_text(BROKEN)
    return Owner("choir", tmp_path)


@pytest.fixture
def clubs() -> Owner:
    return Owner("reading_club", Path(reading_club.__file__).parent / "migrations")


def tables() -> set[str]:
    return set(inspect(db.engine).get_table_names())


def test_models_and_tables_agree_for_the_core_and_every_built_in_plugin(app: Flask) -> None:
    assert "core" in [owner.name for owner in owners()]
    with db.engine.connect() as connection:
        assert {owner.name: differences(owner, connection) for owner in owners()} == {
            owner.name: [] for owner in owners()
        }


def test_every_built_in_plugin_is_at_its_newest_revision(app: Flask) -> None:
    assert migrate_all() == []
    with db.engine.connect() as connection:
        for owner in owners():
            assert current(owner, connection) == head(owner) is not None


def test_a_column_that_no_migration_made_is_found(app: Flask) -> None:
    with db.engine.connect() as connection:
        connection.execute(text("ALTER TABLE core_org DROP COLUMN initials"))
        assert differences(CORE, connection) == ["add_column core_org core_org.initials"]
        connection.rollback()


def test_a_table_of_another_owner_is_nobody_elses_difference(app: Flask, clubs: Owner) -> None:
    stray = Table("reading_club_book", metadata, Column("id", Integer, primary_key=True))
    try:
        with db.engine.connect() as connection:
            assert differences(CORE, connection) == []
            assert "add_table reading_club_book" in differences(clubs, connection)
    finally:
        metadata.remove(stray)


def test_a_failing_migration_leaves_its_owner_where_it_was_and_the_others_go_on(
    app: Flask, choir: Owner, clubs: Owner
) -> None:
    done = upgrade(db.engine, [CORE, choir, clubs])
    assert (done.moved, list(done.failed)) == (["reading_club"], ["choir"])
    assert "NONSENSE" in str(done.failed["choir"])
    assert "reading_club_book" in tables()
    assert not {"choir_song", "choir_alembic"} & tables()


def test_who_needs_the_tables_of_a_failed_one_waits(app: Flask, choir: Owner, clubs: Owner) -> None:
    needy = Owner(clubs.name, clubs.versions, frozenset({"choir"}))
    done = upgrade(db.engine, [CORE, choir, needy])
    assert (done.moved, set(done.failed)) == ([], {"choir", "reading_club"})
    assert "reading_club_book" not in tables()


def test_the_cores_own_failure_ends_everything(app: Flask, choir: Owner, clubs: Owner) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM core_alembic"))
    with pytest.raises(ProgrammingError, match="NONSENSE"):
        upgrade(db.engine, [Owner("core", choir.versions), clubs])
    assert "reading_club_book" not in tables()


def test_a_version_table_without_its_plugin_is_named_and_left_alone(app: Flask, clubs: Owner) -> None:
    upgrade(db.engine, [CORE, clubs])
    with db.engine.connect() as connection:
        assert strangers(connection, owners()) == ["reading_club"]
    assert migrate_all() == []
    assert "reading_club_book" in tables()


def test_two_upgrades_at_once_wait_for_each_other(app: Flask, clubs: Owner) -> None:
    impatient = create_engine(db.engine.url, connect_args={"options": "-c lock_timeout=200"})
    with db.engine.begin() as other:
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        with pytest.raises(OperationalError, match="lock timeout"):
            upgrade(impatient, [CORE, clubs])
    assert upgrade(impatient, [CORE, clubs]).moved == ["reading_club"]
    impatient.dispose()


def run(app: Flask, *words: str) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(zhijia, words)
    return result.exit_code, result.output


def test_the_command_says_what_it_upgraded_and_what_it_left_alone(app: Flask, clubs: Owner) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    code, output = run(app, "db", "upgrade")
    assert (code, output.splitlines()[0]) == (0, "upgraded core")
    upgrade(db.engine, [CORE, clubs])
    stranger = "reading_club has tables here, but no loaded plugin owns them; they are left alone"
    assert run(app, "db", "upgrade") == (0, f"{stranger}\n")
    code, output = run(app, "db", "current")
    assert code == 0
    assert output.startswith("core 0")


def test_the_check_fails_where_models_and_tables_differ(app: Flask) -> None:
    assert run(app, "db", "check")[0] == 0
    with db.engine.begin() as connection:
        connection.execute(text("ALTER TABLE core_org DROP COLUMN initials"))
    code, output = run(app, "db", "check")
    assert code == 1
    assert "core: add_column core_org core_org.initials" in output


def test_a_plugin_that_could_not_be_upgraded_is_named_and_the_command_fails(
    app: Flask, choir: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("tables", "db_cli"):
        monkeypatch.setattr(f"core.plugin.{module}.owners", lambda: [CORE, choir])
    code, output = run(app, "db", "upgrade")
    assert code == 1
    assert "failed choir: ProgrammingError" in output
    with pytest.raises(ZhijiaError, match="choir"):
        migrate_all()


def test_the_list_of_plugins_says_what_is_loaded_and_why_others_are_not(app: Flask) -> None:
    registry_of().failed["choir"] = ImportError("no voices")
    code, output = run(app, "plugin", "list")
    assert code == 0
    assert "quarantined choir: ImportError: no voices" in output.splitlines()
    assert all(f"loaded {name}" in output for name in registry_of().plugins)
