"""Loading plugins: what is refused, with which reason, and that the others go on."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from flask import Flask
from sqlalchemy.orm import configure_mappers

from core.cli import zhijia
from core.database import metadata
from core.errors import ConfigError
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import Candidate, Registry, given, load, reason_of, registry_of
from core.plugin.types import Permission, Program
from core.users.roles import PERMISSIONS
from tests.plugins_for_tests.made import blueprint, loaded, plugin, program, reason
from tests.plugins_for_tests.reading_club import plugin as reading_club


def raising(error: BaseException) -> Callable[[], object]:
    def bring() -> object:
        raise error

    return bring


class Oops(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize("error", [ImportError("no module named books"), SystemExit("bye"), Oops("ouch"), ValueError()])
def test_a_plugin_that_raises_at_import_is_quarantined(error: BaseException) -> None:
    registry = loaded(Candidate("broken", raising(error)))
    assert registry.failed == {"broken": error}
    assert reason_of(error).startswith(type(error).__name__)


def test_a_long_reason_is_cut_at_300_signs() -> None:
    assert reason_of(ConfigError("x" * 300)) == "x" * 300
    assert reason_of(ConfigError("x" * 301)) == "x" * 299 + "…"


def test_ctrl_c_is_not_swallowed() -> None:
    with pytest.raises(KeyboardInterrupt):
        loaded(Candidate("broken", raising(KeyboardInterrupt())))


def test_strict_mode_raises() -> None:
    with pytest.raises(ConfigError, match=r"must begin with 'books\.'"):
        load(Registry(), given({"books": plugin(permissions=[Permission(code="x", title="x", roles=())])}), strict=True)


def test_a_misspelt_hook_is_refused() -> None:
    def menu_itmes(user: object) -> list[object]:
        return []

    assert "menu_itmes" in reason("books", SimpleNamespace(menu_itmes=hookimpl(menu_itmes)))


def test_an_unknown_argument_is_refused() -> None:
    def menu_items(user: object, planet: object) -> list[object]:
        return []

    assert "planet" in reason("books", SimpleNamespace(menu_items=hookimpl(menu_items)))


def test_a_hook_that_raises_at_start_is_refused() -> None:
    def programs() -> list[Program]:
        raise LookupError("lost")

    assert reason("books", SimpleNamespace(programs=hookimpl(programs))) == "LookupError: lost"


@pytest.mark.parametrize("name", ["core", "Books", "2books", "books-club", "_books", "books_", ""])
def test_names_that_could_be_confused_are_refused(name: str) -> None:
    assert "cannot be a plugin's name" in reason(name, plugin())


def test_a_name_whose_tables_could_be_taken_for_anothers_is_refused() -> None:
    assert reason("reading", plugin(), *given({"reading_club": reading_club})).startswith("The plugin name 'reading'")
    assert "in table names" in reason("reading_club_extra", plugin(), *given({"reading_club": reading_club}))


def test_what_the_core_calls_its_own_is_no_name_for_a_plugin(app: Flask) -> None:
    """A plugin ``users`` could bring a blueprint, a permission, a command or a job that is taken for the core's."""
    own = Registry()
    codes = [*app.blueprints, *(permission.code for permission in PERMISSIONS), *zhijia.commands]
    codes += [name for name, spec in registry_of(app).jobs.items() if spec.func.__module__.startswith("core.")]
    plugins = registry_of(app).plugins
    theirs = {page.name for plugin in plugins.values() for page in plugin.blueprints.values()}
    names = {code.split(".")[0].replace("-", "_") for code in codes} - set(plugins) - theirs
    assert {"users", "run", "ledger", "db", "disbursements"} <= names
    for name in sorted(names):
        with pytest.raises(ConfigError, match="the core uses it itself"):
            own.add(name, plugin())


def test_the_second_plugin_of_a_name_is_refused() -> None:
    first, second = plugin(programs=[program("books")]), plugin(programs=[program("films")])
    registry = loaded(*given({"books": first}), *given({"books": second}))
    assert registry.owners["books"] == "books"
    assert "films" not in registry.programs
    assert reason_of(registry.failed["books"]) == "Another plugin of this name is installed, and was taken first."


def test_a_registry_without_a_plugin_lacks_who_requires_it_too() -> None:
    chain = {
        "awards": plugin(programs=[program("awards", requires=("halls",))]),
        "halls": plugin(programs=[program("halls")]),
        "prizes": plugin(programs=[program("prizes", requires=("awards",))]),
    }
    registry = loaded(*given(chain))
    assert set(registry.plugins) == {*chain, "reading_club"}
    assert set(registry.without("halls").plugins) == {"reading_club"}
    assert set(registry.without("prizes").plugins) == {"awards", "halls", "reading_club"}


def test_a_name_that_only_begins_alike_is_not_refused() -> None:
    assert "readings" in loaded(*given({"readings": plugin()})).plugins


def test_a_stolen_program_code_is_refused_and_stays_with_its_owner() -> None:
    bad = plugin(programs=[program("reading_club")], blueprints={"reading_club": blueprint("thief")})
    registry = Registry()
    load(registry, given({"reading_club": reading_club, "thief": bad}), strict=False)
    assert reason_of(registry.failed["thief"]) == "The program code 'reading_club' belongs to 'reading_club'."
    assert registry.owners == {"reading_club": "reading_club"}


def test_what_is_required_is_loaded_first_whatever_its_name() -> None:
    registry = Registry()
    needy = plugin(programs=[program("awards", requires=("halls",))])
    load(registry, given({"awards": needy, "halls": plugin(programs=[program("halls")])}), strict=False)
    assert list(registry.plugins) == ["halls", "awards"]


def test_two_that_require_each_other_are_both_refused() -> None:
    one = plugin(programs=[program("one", requires=("two",))])
    two = plugin(programs=[program("two", requires=("one",))])
    assert set(loaded(*given({"one": one, "two": two})).failed) == {"one", "two"}


def test_who_requires_a_quarantined_plugin_is_refused_too() -> None:
    needy = plugin(programs=[program("awards", requires=("halls",))])
    registry = loaded(*given({"awards": needy}), Candidate("halls", raising(ValueError("halls burnt down"))))
    assert set(registry.failed) == {"awards", "halls"}


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], Candidate]]:
    """Write a module and give it as a plugin that is imported while it loads."""
    monkeypatch.syspath_prepend(tmp_path)
    tables, modules = set(metadata.tables), set(sys.modules)

    def write(name: str, source: str) -> Candidate:
        (tmp_path / f"{name}.py").write_text(source)
        return Candidate(name, lambda: __import__(name))

    yield write
    for table in set(metadata.tables) - tables:
        metadata.remove(metadata.tables[table])
    for name in set(sys.modules) - modules:
        del sys.modules[name]


MODELS = """
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from core.api import metadata, of_nobody
class Base(DeclarativeBase):
    metadata = metadata
"""


def test_models_with_their_own_base_and_prefix_are_taken(module: Callable[[str, str], Candidate]) -> None:
    good = module(
        "tidy",
        MODELS + "class A(Base):\n    __tablename__ = 'tidy_a'\n    __table_args__ = ({'info': of_nobody('a test')},)\n"
        "    id: Mapped[int] = mapped_column(primary_key=True)\n",
    )
    assert "tidy" in loaded(good).plugins
    assert "tidy_a" in metadata.tables


def test_a_table_without_the_prefix_is_refused_and_taken_back(module: Callable[[str, str], Candidate]) -> None:
    source = (
        MODELS
        + "class A(Base):\n    __tablename__ = 'core_stray'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    )
    bad = module("untidy", source)
    assert reason_of(loaded(bad).failed["untidy"]) == "The table 'core_stray' must begin with 'untidy_'."
    assert "core_stray" not in metadata.tables
    again = loaded(bad)  # the module is in memory now, and must be refused all the same
    assert "untidy" in again.failed


def test_a_bad_relationship_is_refused_and_does_not_break_the_mappers_of_all(
    module: Callable[[str, str], Candidate],
) -> None:
    source = MODELS + (
        "class A(Base):\n    __tablename__ = 'crooked_a'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    b = relationship('Nobody')\n"
    )
    assert "Nobody" in reason_of(loaded(module("crooked", source)).failed["crooked"])
    configure_mappers()

    again = loaded(module("crooked", source))  # what was wrong is gone from memory, the module is not
    assert "Nobody" in reason_of(again.failed["crooked"])


def test_models_on_the_base_of_the_core_are_refused_and_do_not_break_its_mappers(
    module: Callable[[str, str], Candidate],
) -> None:
    source = (
        "from sqlalchemy.orm import Mapped, mapped_column, relationship\nfrom core.database import Base\n"
        "class A(Base):\n    __tablename__ = 'cuckoo_a'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
        "    b = relationship('Nobody')\n"
    )
    assert "base of their own" in reason_of(loaded(module("cuckoo", source)).failed["cuckoo"])
    configure_mappers()
