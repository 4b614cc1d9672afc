"""Where registers show up: a tab of the program year for each, and among what can be exported."""

from flask import Flask, url_for

from core.exports.sources import Source, provide_source
from core.programs.frame import provide_tabs
from core.programs.models import ProgramYear
from core.registers.listing import listing_of
from core.registers.queries import registers_of
from core.registers.views import blueprint
from core.users.access import can_anywhere, scope_of
from core.users.models import User


def init_app(app: Flask) -> None:
    """Mount the pages, and the tabs."""
    app.register_blueprint(blueprint)
    provide_tabs(app, register_tabs)
    provide_source(app, register_source)


def register_source(user: User, code: str, program_year: ProgramYear | None) -> Source | None:
    """A register of the program year, as the user may read it, for an export."""
    if program_year is None:
        return None
    register = next((item for item in registers_of(program_year) if item.code == code), None)
    if register is None or not can_anywhere(user, register.view_permission, program_year.program):
        return None
    return Source(
        listing=listing_of(register, program_year),
        scope=scope_of(user, register.view_permission, program_year.program),
        title=f"{register.title}-{program_year.year}",
    )


def register_tabs(user: User, program_year: ProgramYear) -> list[tuple[str, str]]:
    """The registers of the program that the user may see."""
    return [
        (str(register.title), url_for("registers.index", name=register.name))
        for register in registers_of(program_year)
        if can_anywhere(user, register.view_permission, program_year.program)
    ]
