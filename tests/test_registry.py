"""Loading plugins: what is refused, with which reason, and that the others go on."""

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Blueprint
from sqlalchemy.orm import configure_mappers

from core.database import metadata
from core.errors import ConfigError
from core.plugin.distributions import discover_plugins
from core.plugin.hookspecs import hookimpl
from core.plugin.registry import Candidate, Registry, given, load, reason_of
from core.plugin.types import EntryKind, JobSpec, Permission, Program, Scheme
from tests.plugins_for_tests.reading_club import plugin as reading_club


def program(code: str, **more: Any) -> Program:
    return Program(code=code, title=code, title_zh=code, title_en=code, **more)


def plugin(**answers: Any) -> SimpleNamespace:
    """A plugin whose hooks give these answers."""

    def hook(name: str, answer: Any) -> Any:
        def function() -> Any:
            return answer

        function.__name__ = name
        return hookimpl(function)

    return SimpleNamespace(**{name: hook(name, answer) for name, answer in answers.items()})


def loaded(*candidates: Candidate) -> Registry:
    """A registry that tried these, and after them a good plugin that must always be there."""
    registry = Registry()
    load(registry, [*candidates, *given({"reading_club": reading_club})], strict=False)
    assert "reading_club" in registry.plugins
    return registry


def reason(name: str, bad: object, *others: Candidate) -> str:
    """Why the plugin ``name`` was refused; nothing of it may stay behind."""
    registry = loaded(*others, Candidate(name, lambda: bad))
    assert name not in registry.plugins
    assert set(registry.owners.values()) <= set(registry.plugins)
    assert not registry.manager.has_plugin(name)
    return reason_of(registry.failed[name])


def raising(error: BaseException) -> Callable[[], object]:
    def bring() -> object:
        raise error

    return bring


def view(**_values: Any) -> str:
    return "seen"


def blueprint(name: str, rule: str = "/list", **more: Any) -> Blueprint:
    made = Blueprint(name, __name__, **more)
    made.add_url_rule(rule, "list", view)
    return made


class Oops(BaseException):
    """Not even an Exception."""


@pytest.mark.parametrize("error", [ImportError("no module named books"), SystemExit("bye"), Oops("ouch"), ValueError()])
def test_a_plugin_that_raises_at_import_is_quarantined(error: BaseException) -> None:
    registry = loaded(Candidate("broken", raising(error)))
    assert registry.failed == {"broken": error}
    assert reason_of(error).startswith(type(error).__name__)


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


def test_a_name_that_only_begins_alike_is_not_refused() -> None:
    assert "readings" in loaded(*given({"readings": plugin()})).plugins


def test_a_stolen_program_code_is_refused_and_stays_with_its_owner() -> None:
    bad = plugin(programs=[program("reading_club")], blueprints={"reading_club": blueprint("thief")})
    registry = Registry()
    load(registry, given({"reading_club": reading_club, "thief": bad}), strict=False)
    assert reason_of(registry.failed["thief"]) == "The program code 'reading_club' belongs to 'reading_club'."
    assert registry.owners == {"reading_club": "reading_club"}


KIND = EntryKind(code="books.grant", title_zh="购书", debit="502", credit="102")


def scheme(**more: Any) -> Scheme:
    values: dict[str, Any] = {
        "code": "books.s", "program": "books", "title": "s", "item": "i", "entry_kind": KIND.code, "select": view,
    }  # fmt: skip
    return Scheme(**values | more)


def job(**more: Any) -> JobSpec:
    return JobSpec(**{"name": "books.count", "title": "c", "func": view, **more})


NO_BLUEPRINTS = "The hook blueprints must return a dict from program code to Blueprint."
NOT_OWN = ", which is not its own."


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        ({"permissions": [Permission(code="edit", title="e", roles=())]}, "'edit' must begin with 'books.'."),
        ({"jobs": [job(name="other.count")]}, "'other.count' must begin with 'books.'."),
        ({"schemes": [scheme(code="s")], "entry_kinds": [KIND]}, "'s' must begin with 'books.'."),
        (
            {"entry_kinds": [EntryKind(code="booksgrant", title_zh="x", debit="1", credit="2")]},
            "'booksgrant' must begin with 'books.'.",
        ),
        ({"jobs": [job(), job()]}, "'books.count' is given twice."),
        ({"programs": [program("books"), program("books")]}, "'books' is given twice."),
        ({"programs": [program("Books!")]}, "'Books!' cannot be a program code; small letters, digits and _ can."),
        (
            {"programs": [program("books", settings_form=object)]},
            "The settings form of 'books' must be a class on core.api's Form.",
        ),
        ({"programs": "books"}, "The hook programs must return a list of Program."),
        ({"programs": [program("books"), None]}, "The hook programs must return a list of Program."),
        ({"jobs": [KIND]}, "The hook jobs must return a list of JobSpec."),
        ({"commands": [view]}, "The hook commands must return a list of Command."),
        ({"blueprints": [blueprint("books")]}, NO_BLUEPRINTS),
        ({"blueprints": {"books": view}}, NO_BLUEPRINTS),
        ({"migrations": "migrations"}, "The hook migrations must return a Path."),
        ({"migrations": Path("/nowhere/at/all")}, "The folder of migrations /nowhere/at/all does not exist."),
        (
            {"permissions": [Permission(code="books.edit", title="e", roles=("king",))]},
            "The permission 'books.edit' names the role 'king', which does not exist.",
        ),
        (
            {"programs": [program("books", view_permission="books.see")]},
            "The program 'books' asks for 'books.see', which nobody defines.",
        ),
        ({"jobs": [job(program="club")]}, "The job 'books.count' names the program 'club'" + NOT_OWN),
        (
            {"schemes": [scheme(program="club")], "entry_kinds": [KIND]},
            "The scheme 'books.s' names the program 'club'" + NOT_OWN,
        ),
        ({"schemes": [scheme()]}, "The scheme 'books.s' posts 'books.grant', which is not an entry kind."),
        ({"blueprints": {"club": blueprint("books")}}, "The blueprint 'books' names the program 'club'" + NOT_OWN),
        ({"blueprints": {"books": blueprint("users")}}, "The blueprint 'users' must be named 'books'."),
        ({"blueprints": {"books": blueprint("books", "/runs/<n>")}}, "The address '/runs/<n>' belongs to the core."),
        ({"blueprints": {"books": blueprint("books", "/")}}, "The address '/' belongs to the core."),
        ({"programs": [program("books", requires=("halls",))]}, "It requires halls, which is not loaded."),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_refused_with_one_sentence(answers: dict[str, Any], sentence: str) -> None:
    assert reason("books", plugin(**{"programs": [program("books")]} | answers)) == sentence


def test_a_blueprint_that_hooks_into_other_pages_is_refused() -> None:
    nosy = blueprint("books")
    nosy.before_app_request(view)
    bad = plugin(programs=[program("books")], blueprints={"books": nosy})
    assert reason("books", bad) == "The blueprint 'books' hooks into pages that are not its own."


def test_a_blueprint_may_hook_into_its_own_pages() -> None:
    good = blueprint("books")
    good.before_request(view)
    answers = plugin(programs=[program("books")], blueprints={"books": good})
    assert "books" in loaded(*given({"books": answers})).plugins


def test_a_template_outside_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("mine now")
    bad = plugin(programs=[program("books")], blueprints={"books": blueprint("books", template_folder=str(tmp_path))})
    assert reason("books", bad) == f"The template 'base.html' must lie in {tmp_path / 'books'}."


def test_two_rules_with_one_endpoint_leave_nothing_half_registered() -> None:
    clash = blueprint("books")
    clash.add_url_rule("/other", "list", lambda: "another")
    bad = plugin(programs=[program("books")], blueprints={"books": clash})
    assert reason("books", bad).startswith("AssertionError")


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
from core.api import metadata
class Base(DeclarativeBase):
    metadata = metadata
"""


def test_models_with_their_own_base_and_prefix_are_taken(module: Callable[[str, str], Candidate]) -> None:
    good = module(
        "tidy",
        MODELS
        + "class A(Base):\n    __tablename__ = 'tidy_a'\n    id: Mapped[int] = mapped_column(primary_key=True)\n",
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


def test_models_on_the_base_of_the_core_are_refused(module: Callable[[str, str], Candidate]) -> None:
    source = (
        "from sqlalchemy.orm import Mapped, mapped_column\nfrom core.database import Base\n"
        "class A(Base):\n    __tablename__ = 'cuckoo_a'\n    id: Mapped[int] = mapped_column(primary_key=True)\n"
    )
    assert "base of their own" in reason_of(loaded(module("cuckoo", source)).failed["cuckoo"])


def test_foreign_plugins_are_only_found_when_they_are_allowed_and_come_last(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("aaa", "elsewhere.plugin", "zhijia.plugins"),
        EntryPoint("zzz", "plugins.zzz.plugin", "zhijia.plugins"),
        EntryPoint("bbb", "plugins.bbb.plugin", "zhijia.plugins"),
        EntryPoint("ccc", "pluginsuite.plugin", "zhijia.plugins"),
    ]
    monkeypatch.setattr("core.plugin.distributions.entry_points", lambda **_group: points)
    assert [candidate.name for candidate in discover_plugins(())] == ["bbb", "zzz"]
    assert [candidate.name for candidate in discover_plugins(("aaa",))] == ["bbb", "zzz", "aaa"]


def test_a_foreign_plugin_that_was_named_and_is_not_installed_is_in_quarantine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.plugin.distributions.entry_points", lambda **_group: [])
    registry = loaded(*discover_plugins(("nobody",)))
    assert reason_of(registry.failed["nobody"]) == "ZHIJIA_PLUGINS names it, but no such plugin is installed."
