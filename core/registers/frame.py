"""Where registers show up: a tab of the program year for each."""

from flask import Flask, url_for

from core.programs.frame import provide_tabs
from core.programs.models import ProgramYear
from core.registers.queries import registers_of
from core.registers.views import blueprint
from core.users.access import can_anywhere
from core.users.models import User


def init_app(app: Flask) -> None:
    """Mount the pages, and the tabs."""
    app.register_blueprint(blueprint)
    provide_tabs(app, register_tabs)


def register_tabs(user: User, program_year: ProgramYear) -> list[tuple[str, str]]:
    """The registers of the program that the user may see."""
    return [
        (str(register.title), url_for("registers.index", name=register.name))
        for register in registers_of(program_year)
        if can_anywhere(user, register.view_permission, program_year.program)
    ]
