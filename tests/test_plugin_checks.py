"""What a plugin answers and the pages that it brings: what is refused, with which sentence."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from wtforms import StringField

from core.lists.types import Column
from core.plugin.registry import given
from core.plugin.types import BankFormat, EntryKind, JobSpec, Offer, Permission, Register, Report, Scheme
from core.registers.records import OrgRecordForm, PersonRecordForm
from core.web.forms import Form
from core.web.guard import needs, public
from core.web.messages import compile_file
from tests.plugins_for_tests.made import blueprint, loaded, plugin, program, reason, view

KIND = EntryKind(code="books.grant", title_zh="购书", debit="502", credit="102")


def scheme(**more: Any) -> Scheme:
    values: dict[str, Any] = {
        "code": "books.s", "program": "books", "title": "s", "item": "i", "entry_kind": KIND.code, "select": view,
    }  # fmt: skip
    return Scheme(**values | more)


def job(**more: Any) -> JobSpec:
    return JobSpec(**{"name": "books.count", "title": "c", "func": view, **more})


class Base(DeclarativeBase):
    """Of models that are never made tables of."""


class Row(Base):
    __tablename__ = "books_row"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[str]
    program_year_id: Mapped[int]
    title: Mapped[str]


class Lasting(Base):
    __tablename__ = "books_lasting"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[str]
    sponsor_id: Mapped[int]


class Homeless(Base):
    __tablename__ = "books_homeless"

    id: Mapped[int] = mapped_column(primary_key=True)
    program_year_id: Mapped[int]
    org_path: Mapped[str]


class Timeless(Base):
    __tablename__ = "books_timeless"

    id: Mapped[int] = mapped_column(primary_key=True)
    org_id: Mapped[int]
    org_path: Mapped[str]


class Authored(OrgRecordForm):
    title = StringField()
    author = StringField()


def register(*columns: str, **more: Any) -> Register:
    values: dict[str, Any] = {
        "code": "books.rows", "program": "books", "title": "r", "model": Row, "form": OrgRecordForm,
        "columns": tuple(Column(name=name, title=name) for name in columns),
        "view_permission": "program.view", "edit_permission": "people.edit",
    }  # fmt: skip
    return Register(**values | more)


def report(**more: Any) -> Report:
    values: dict[str, Any] = {
        "code": "books.sums", "program": "books", "title": "s", "permission": "program.view", "columns": (),
        "select": view,
    }  # fmt: skip
    return Report(**values | more)


def offer(**more: Any) -> Offer:
    values: dict[str, Any] = {"code": "books.readers", "program": "books", "kind": "hardship", "select": view}
    return Offer(**values | more)


NO_BLUEPRINTS = "The hook blueprints must return a dict from program code to Blueprint."
REGISTER = "The register 'books.rows' "
NOBODY = ", which nobody defines."
NO_FORM = "needs a form that is a class on PersonRecordForm or OrgRecordForm."
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
        (
            {"schemes": [scheme(), scheme(code="books.t", payees="orgs")], "entry_kinds": [KIND]},
            "The item 'i' is paid to people by one scheme and to unions by another.",
        ),
        ({"registers": [register(program="club")]}, REGISTER + "names the program 'club'" + NOT_OWN),
        ({"registers": [register(code="rows")]}, "'rows' must begin with 'books.'."),
        ({"registers": [register(), register()]}, "'books.rows' is given twice."),
        (
            {"registers": [register(view_permission="books.see")]},
            REGISTER + "asks for 'books.see'" + NOBODY,
        ),
        (
            {"registers": [register(edit_permission="books.edit")]},
            REGISTER + "asks for 'books.edit', which nobody defines.",
        ),
        ({"registers": [register(form=object)]}, REGISTER + NO_FORM),
        ({"registers": [register(form=Form)]}, REGISTER + NO_FORM),
        (
            {"registers": [register(form=PersonRecordForm)]},
            "The model of 'books.rows' lacks the column 'person_id'.",
        ),
        (
            {"registers": [register(form=Authored)]},
            "The form of 'books.rows' has the field 'author', which its model lacks.",
        ),
        ({"registers": [register(model=object)]}, REGISTER + "needs a model that is a mapped class."),
        ({"registers": [register(model=Homeless)]}, "The model of 'books.rows' lacks the column 'org_id'."),
        (
            {"registers": [register(model=Timeless)]},
            "The model of 'books.rows' needs a column 'program_year_id' or 'sponsor_id'.",
        ),
        ({"registers": [register("title", "author")]}, REGISTER + "shows the column 'author', which its model lacks."),
        ({"registers": [register("name")]}, REGISTER + "shows the column 'name', which its model lacks."),
        ({"reports": [report(program="club")]}, "The report 'books.sums' names the program 'club'" + NOT_OWN),
        (
            {"reports": [report(code="books.rows")], "registers": [register()]},
            "The report 'books.rows' has the code of a register, which has a report by itself.",
        ),
        ({"reports": [report(permission="books.see")]}, "The report 'books.sums' asks for 'books.see'" + NOBODY),
        ({"blueprints": {"club": blueprint("books")}}, "The blueprint 'books' names the program 'club'" + NOT_OWN),
        ({"blueprints": {"books": blueprint("users")}}, "The blueprint 'users' must be named 'books'."),
        ({"blueprints": {"books": blueprint("books", "/runs/<n>")}}, "The address '/runs/<n>' belongs to the core."),
        ({"blueprints": {"books": blueprint("books", "/")}}, "The address '/' belongs to the core."),
        (
            {"blueprints": {"books": blueprint("books", "/<shelf>/<n>")}},
            "The address '/<shelf>/<n>' must begin with a word of its own.",
        ),
        (
            {"bank_formats": [BankFormat(code="books./x", title="x", extension="txt", write=lambda *_: iter(()))]},
            "The bank format 'books./x' cannot be a file's name; small letters, digits, _ can.",
        ),
        ({"offers": [offer(program="club")]}, "The offer 'books.readers' names the program 'club'" + NOT_OWN),
        (
            {"offers": [offer(kind="books")]},
            "The offer 'books.readers' is of the kind 'books'; there are hardship, employer, placement.",
        ),
        ({"bank_formats": ["csv"]}, "The hook bank_formats must return a list of BankFormat."),
        ({"programs": [program("books", requires=("halls",))]}, "It requires halls, which is not loaded."),
    ],
)  # fmt: skip
def test_a_wrong_answer_is_refused_with_one_sentence(answers: dict[str, Any], sentence: str) -> None:
    assert reason("books", plugin(**{"programs": [program("books")]} | answers)) == sentence


def test_a_register_with_all_that_it_needs_is_taken() -> None:
    good = plugin(
        programs=[program("books")],
        registers=[register("title"), register("sponsor_id", code="books.people", model=Lasting)],
        reports=[report()],
    )
    registry = loaded(*given({"books": good}))
    assert {"books.rows", "books.people"} <= set(registry.registers)
    assert "books.sums" in registry.reports


#: A function that fits everywhere.
ANY: Any = view
NOSY: list[Callable[[Blueprint], object]] = [
    lambda books: books.before_app_request(ANY),
    lambda books: books.after_app_request(ANY),
    lambda books: books.teardown_app_request(ANY),
    lambda books: books.app_url_defaults(ANY),
    lambda books: books.app_url_value_preprocessor(ANY),
    lambda books: books.app_context_processor(dict),
    lambda books: books.app_errorhandler(404)(ANY),
    lambda books: books.app_errorhandler(KeyError)(ANY),
    lambda books: books.app_template_filter("yuan")(str),
    lambda books: books.app_template_global("me")(str),
    lambda books: books.app_template_test("even")(bool),
]


@pytest.mark.parametrize("meddle", NOSY)
def test_a_blueprint_that_hooks_into_other_pages_is_refused(meddle: Callable[[Blueprint], object]) -> None:
    nosy = blueprint("books")
    meddle(nosy)
    bad = plugin(programs=[program("books")], blueprints={"books": nosy})
    assert reason("books", bad) == "The blueprint 'books' hooks into pages that are not its own."


def test_a_blueprint_may_hook_into_its_own_pages() -> None:
    good = blueprint("books")
    good.before_request(ANY)
    good.context_processor(dict)
    good.errorhandler(404)(ANY)
    answers = plugin(programs=[program("books")], blueprints={"books": good})
    assert "books" in loaded(*given({"books": answers})).plugins


def test_a_template_outside_its_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("mine now")
    bad = plugin(programs=[program("books")], blueprints={"books": blueprint("books", template_folder=str(tmp_path))})
    assert reason("books", bad) == f"The template 'base.html' must lie in {tmp_path / 'books'}."


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_page_that_changes_something_asks_for_a_permission(method: str) -> None:
    books = Blueprint("books", __name__)
    books.add_url_rule("/list", "change", view, methods=["GET", method])
    bad = plugin(programs=[program("books")], blueprints={"books": books})
    assert reason("books", bad) == "The page 'books.change' can be written by everybody; mark it with needs(...)."


def test_a_page_that_changes_something_with_a_permission_is_taken() -> None:
    books = Blueprint("books", __name__)
    books.add_url_rule("/list", "change", needs("program.view")(view), methods=["POST"])
    assert (
        "books" in loaded(*given({"books": plugin(programs=[program("books")], blueprints={"books": books})})).plugins
    )


def test_a_public_page_is_refused() -> None:
    books = Blueprint("books", __name__)
    books.add_url_rule("/list", "list", public(lambda: "seen"))
    bad = plugin(programs=[program("books")], blueprints={"books": books})
    assert reason("books", bad) == "The page 'books.list' is public; pages of a program year ask for a login."


def test_a_template_of_a_blueprint_inside_another_is_looked_at_too(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("mine now")
    outer = blueprint("books")
    outer.register_blueprint(blueprint("inner", template_folder=str(tmp_path)), url_prefix="/inner")
    bad = plugin(programs=[program("books")], blueprints={"books": outer})
    assert reason("books", bad) == f"The template 'base.html' must lie in {tmp_path / 'books'}."


def test_one_blueprint_for_two_programs_is_refused() -> None:
    books = blueprint("books")
    bad = plugin(programs=[program("books"), program("more")], blueprints={"books": books, "more": books})
    assert reason("books", bad) == "The blueprint 'books' is given twice; each program needs one of its own."


def test_a_catalogue_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "translations/zh/LC_MESSAGES"
    folder.mkdir(parents=True)
    bad = plugin()
    bad.__file__ = str(tmp_path / "plugin.py")
    compile_file(folder / "messages.po")
    assert "books" in loaded(*given({"books": bad})).plugins
    whole = (folder / "messages.mo").read_bytes()
    for broken in (b"", b"no catalogue", whole[:10]):
        (folder / "messages.mo").write_bytes(broken)
        assert reason("books", bad).endswith("cannot be read; compile it again.")


def test_two_rules_with_one_endpoint_leave_nothing_half_registered() -> None:
    clash = blueprint("books")
    clash.add_url_rule("/other", "list", lambda: "another")
    bad = plugin(programs=[program("books")], blueprints={"books": clash})
    assert reason("books", bad).startswith("AssertionError")
