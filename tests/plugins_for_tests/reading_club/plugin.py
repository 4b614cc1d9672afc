from pathlib import Path
from typing import Any

import click
from flask import Blueprint, Response, request
from sqlalchemy import Select, literal, null, select
from wtforms.validators import InputRequired

from core.api import (
    SYSTEM,
    Card,
    EntryKind,
    JobSpec,
    MenuItem,
    Org,
    Permission,
    Person,
    PersonalDataAction,
    PersonalRecord,
    Program,
    ProgramSettingsForm,
    ProgramYear,
    Register,
    Report,
    Scheme,
    SchemeContext,
    User,
    YuanField,
    current_program_year,
    hookimpl,
    needs,
    record,
    subtree,
)
from tests.plugins_for_tests.reading_club.registers import CORNERS, MEMBERS, READERS, VOLUMES

blueprint = Blueprint("reading_club", __name__)


@blueprint.get("/books")
def books() -> str:
    """Name the year, so that a test sees which one the gate found."""
    program_year = current_program_year()
    return f"books of {program_year.year} by {program_year.org_path}"


@blueprint.post("/books")
@needs("reading_club.edit")
def add_book() -> Response:
    """Take anything that the gate lets through."""
    return Response(f"added {request.form.get('title', '')}", status=201)


class ReadingSettings(ProgramSettingsForm):
    """What a club gets for its books."""

    grant = YuanField("Grant", validators=[InputRequired()])


def count_books(context: object) -> None:
    """A job that does nothing."""


def everyone(context: SchemeContext) -> Select[Any]:
    """The same for everybody below the sponsor."""
    return select(
        Person.id.label("payee_id"),
        Person.org_id,
        Person.org_path,
        literal(context.settings["grant"]).label("amount_fen"),
        literal("book").label("basis"),
        null().label("exclude_reason"),
    ).where(subtree(Person.org_path, context.org_path))


@click.command()
def shelves() -> None:
    """Count the shelves."""
    click.echo("3 shelves")


@hookimpl
def programs() -> list[Program]:
    return [
        Program(
            code="reading_club",
            title="Reading clubs",
            title_zh="职工读书会",
            title_en="Reading clubs",
            settings_form=ReadingSettings,
        )
    ]


@hookimpl
def blueprints() -> dict[str, Blueprint]:
    return {"reading_club": blueprint}


@hookimpl
def permissions() -> list[Permission]:
    return [Permission(code="reading_club.edit", title="Edit books", roles=("clerk",))]


@hookimpl
def registers() -> list[Register]:
    return [CORNERS, READERS, MEMBERS]


@hookimpl
def reports() -> list[Report]:
    return [VOLUMES]


@hookimpl
def jobs() -> list[JobSpec]:
    return [
        JobSpec(
            name="reading_club.count",
            title="Count books",
            func=count_books,
            program="reading_club",
            schedule="0 6 * * *",
        )
    ]


@hookimpl
def schemes() -> list[Scheme]:
    return [
        Scheme(
            code="reading_club.books",
            program="reading_club",
            title="Books for everybody",
            item="books",
            entry_kind="reading_club.books",
            select=everyone,
        )
    ]


@hookimpl
def entry_kinds() -> list[EntryKind]:
    return [EntryKind(code="reading_club.books", title_zh="购书经费", debit="50205", credit="102")]


@hookimpl
def commands() -> list[click.Command]:
    return [shelves]


@hookimpl
def migrations() -> Path:
    return Path(__file__).parent / "migrations"


@hookimpl
def menu_items(user: User, program_year: ProgramYear) -> list[MenuItem]:
    return [
        MenuItem(title=f"Books {program_year.year}", endpoint="reading_club.books", icon="book", weight=2),
        MenuItem(title=f"Books for {user.name}", endpoint="reading_club.books", weight=1),
    ]


@hookimpl
def dashboard_cards(program_year: ProgramYear) -> list[Card]:
    return [Card(title="Books", value="12", unit="volumes", endpoint="reading_club.books")]


@hookimpl
def person_merged(kept: Person, dropped: Person) -> None:
    record(SYSTEM, "reading_club.merge", f"person:{kept.id}", kept.org_path, dropped=dropped.id)


@hookimpl
def person_moved(person: Person, org: Org) -> None:
    record(SYSTEM, "reading_club.move", f"person:{person.id}", person.org_path, to=org.code)


@hookimpl
def personal_data(person: Person, action: PersonalDataAction) -> list[PersonalRecord]:
    if action == "erase":
        record(SYSTEM, "reading_club.erase", f"person:{person.id}", person.org_path)
    return [PersonalRecord(title="Books lent", values={"Reader": person.name})]
