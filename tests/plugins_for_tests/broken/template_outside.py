"""Broken: a template where those of the core lie."""

from flask import Blueprint

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program

blueprint = Blueprint("template_outside", __name__, template_folder="outside_templates")


@hookimpl
def programs() -> list[Program]:
    return [program("template_outside")]


@hookimpl
def blueprints() -> dict[str, Blueprint]:
    return {"template_outside": blueprint}
