"""Where files show up: a part of the page of every entry of a register, and pages below its address."""

from flask import Flask

from core.files.views import blueprint, files_panel
from core.registers.parts import provide_record_part


def init_app(app: Flask) -> None:
    """Mount the pages, and the part."""
    app.register_blueprint(blueprint)
    provide_record_part(app, files_panel)
