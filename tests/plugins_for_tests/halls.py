"""A plugin whose answers a test can change: halls, and awards that build on them."""

from types import SimpleNamespace
from typing import Any

from flask import Flask
from sqlalchemy import Select, literal, select, text
from wtforms import DateField, IntegerField
from wtforms.validators import NumberRange, Optional

from core.cli import zhijia
from core.errors import ZhijiaError
from core.extensions import db
from core.people.models import Person
from core.plugin.hookspecs import hookimpl
from core.plugin.types import Blocker, Copied, Offer, Program
from core.programs.models import ProgramYear
from core.web.forms import Form

OPENING = Blocker(step="open", sentence="Paint the hall first.")
CLOSING = Blocker(step="close", sentence="Return the chairs.")


class HallSettings(Form):
    """Settings of the halls: seats, and a day that moves with the year."""

    seats = IntegerField("Seats", default=10, validators=[NumberRange(min=1, max=100)])
    opening = DateField("Opening", validators=[Optional()])


def caretakers(_program_year: ProgramYear) -> Select[*tuple[Any, ...]]:
    """Everybody on file, with a column more than is asked for."""
    return select(
        Person.id.label("person_id"),
        Person.org_id,
        literal("deep").label("category"),
        literal("").label("cause"),
        Person.org_path,
        Person.name,
    )


class Halls:
    """What the plugin answers, and what it was asked."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.blockers: Any = []
        self.copied: Any = [Copied(title="Rooms", rows=3)]
        self.error: Exception | None = None
        self.settings_form: type[Form] | None = HallSettings

    def module(self) -> SimpleNamespace:
        """The hooks, as a module would have them."""

        @hookimpl
        def programs() -> list[Program]:
            return [
                Program(code="halls", title="Halls", title_zh="会堂", title_en="Halls", settings_form=HallSettings),
                Program(code="awards", title="Awards", title_zh="颁奖", title_en="Awards", requires=("halls",)),
            ]

        @hookimpl
        def offers() -> list[Offer]:
            return [Offer(code="halls.caretakers", program="halls", kind="hardship", select=caretakers)]

        @hookimpl
        def year_enabled(program_year: ProgramYear) -> None:
            self.calls.append(("enabled", program_year.program, program_year.year, program_year.id is not None))
            if self.error:
                raise self.error

        @hookimpl
        def year_copied(source: ProgramYear, target: ProgramYear) -> list[Copied]:
            self.calls.append(("copied", source.year, target.year))
            return list(self.copied) if isinstance(self.copied, list) else self.copied

        @hookimpl
        def year_blockers(program_year: ProgramYear) -> list[Blocker]:
            if isinstance(self.blockers, Exception):
                raise self.blockers
            if self.blockers == "broken sql":
                db.session.execute(text("SELECT nonsense"))
            return list(self.blockers)

        return SimpleNamespace(
            programs=programs,
            offers=offers,
            year_enabled=year_enabled,
            year_copied=year_copied,
            year_blockers=year_blockers,
        )


def run(app: Flask, *words: str) -> tuple[int, str]:
    """Run a command: exit code and output, or the sentence of its refusal."""
    result = app.test_cli_runner().invoke(zhijia, words)
    if isinstance(result.exception, ZhijiaError):
        return 2, str(result.exception)
    return result.exit_code, result.output
