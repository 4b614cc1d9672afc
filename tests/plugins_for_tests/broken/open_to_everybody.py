"""Broken: a page that changes something and asks for no permission."""

from flask import Blueprint

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program

blueprint = Blueprint("open_to_everybody", __name__)


@blueprint.post("/visits")
def add_visit() -> str:
    return "added"


@hookimpl
def programs() -> list[Program]:
    return [program("open_to_everybody")]


@hookimpl
def blueprints() -> dict[str, Blueprint]:
    return {"open_to_everybody": blueprint}
