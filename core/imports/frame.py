"""Where imports show up: a link above the list of every register, for who may change it while the year is open."""

from flask import Flask, url_for
from flask_babel import gettext as _

from core.imports.views import blueprint
from core.plugin.types import Register
from core.programs.models import ProgramYear
from core.programs.queries import state_of
from core.registers.parts import Action, provide_list_action
from core.users.access import can_anywhere
from core.users.models import User


def init_app(app: Flask) -> None:
    """Mount the pages, and the link."""
    app.register_blueprint(blueprint)
    provide_list_action(app, import_action)


def import_action(user: User, register: Register, program_year: ProgramYear) -> list[Action]:
    """The way to the register's imports."""
    if state_of(program_year) != "open" or not can_anywhere(user, register.edit_permission, program_year.program):
        return []
    return [Action(title=_("Import"), url=url_for("imports.index", name=register.name), icon="upload")]
