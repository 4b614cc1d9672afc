"""Broken: its pages are called as pages of the core are."""

from flask import Blueprint

from core.api import Program, hookimpl
from tests.plugins_for_tests.broken.parts import program

blueprint = Blueprint("users", __name__)


@blueprint.get("/login")
def login() -> str:
    return "give me your password"


@hookimpl
def programs() -> list[Program]:
    return [program("blueprint_clash")]


@hookimpl
def blueprints() -> dict[str, Blueprint]:
    return {"blueprint_clash": blueprint}
