"""Where files show up: below the address of every entry of a register."""

from flask import Flask

from core.files.views import blueprint


def init_app(app: Flask) -> None:
    """Mount the pages."""
    app.register_blueprint(blueprint)
