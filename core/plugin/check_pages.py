"""The rules for the pages of a plugin, each a sentence. They are tried on an app that is thrown away: what fails there
leaves no half of it in ours.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Blueprint, Flask

from core.errors import ConfigError
from core.plugin.types import Plugin
from core.web.marks import is_public, permission_needed

#: First parts of addresses below ``/<year>/<sponsor>/<program>/`` that belong to the core.
RESERVED = ("", "budget", "ledger", "registers", "reports", "runs", "settings")
WRITING = {"POST", "PUT", "PATCH", "DELETE"}


def check_pages(plugin: Plugin) -> None:
    """Check the blueprints of a plugin. Raises :class:`ConfigError` with the first thing that is wrong."""
    own = {program.code for program in plugin.programs}
    names: set[str] = set()
    for code, blueprint in plugin.blueprints.items():
        if code not in own:
            raise ConfigError(f"The blueprint {blueprint.name!r} names the program {code!r}, which is not its own.")
        if blueprint.name != plugin.name and not blueprint.name.startswith(f"{plugin.name}_"):
            raise ConfigError(f"The blueprint {blueprint.name!r} must be named {plugin.name!r}.")
        if blueprint.name in names:
            raise ConfigError(f"The blueprint {blueprint.name!r} is given twice; each program needs one of its own.")
        names.add(blueprint.name)
        _check_blueprint(plugin.name, blueprint)


def template_folders(plugin: Plugin) -> list[Path]:
    """The folders in which the templates of its pages lie."""
    scratch = Flask("scratch", static_folder=None)
    for code, blueprint in plugin.blueprints.items():
        scratch.register_blueprint(blueprint, url_prefix=f"/{code}")
    return _template_folders(scratch)


def _check_blueprint(plugin: str, blueprint: Blueprint) -> None:
    scratch = Flask("scratch", static_folder=None)
    before = _reach(scratch)
    scratch.register_blueprint(blueprint, url_prefix="/-")
    if _reach(scratch) != before:
        raise ConfigError(f"The blueprint {blueprint.name!r} hooks into pages that are not its own.")
    for rule in scratch.url_map.iter_rules():
        address = rule.rule.removeprefix("/-")
        first = address.lstrip("/").split("/")[0]
        if not rule.rule.startswith("/-") or first in RESERVED:
            raise ConfigError(f"The address {address!r} belongs to the core.")
        if "<" in first:  # it would stand before the core's own pages
            raise ConfigError(f"The address {address!r} must begin with a word of its own.")
        view = scratch.view_functions[rule.endpoint]
        if is_public(view):
            raise ConfigError(f"The page {rule.endpoint!r} is public; pages of a program year ask for a login.")
        if WRITING & (rule.methods or set()) and permission_needed(view) is None:
            raise ConfigError(f"The page {rule.endpoint!r} can be written by everybody; mark it with needs(...).")
    for folder in _template_folders(scratch):
        for child in folder.iterdir():
            if child.name != plugin and not child.name.startswith("."):
                raise ConfigError(f"The template {child.name!r} must lie in {folder / plugin}.")


def _reach(scratch: Flask) -> list[dict[Any, Any]]:
    """What acts on the pages of everybody: ``before_app_request``, ``app_template_filter`` and their like."""
    by_blueprint: tuple[Mapping[str | None, Any], ...] = (
        scratch.before_request_funcs,
        scratch.after_request_funcs,
        scratch.teardown_request_funcs,
        scratch.url_value_preprocessors,
        scratch.url_default_functions,
        scratch.template_context_processors,
    )
    jinja = scratch.jinja_env
    errors = {code: dict(found) for code, found in scratch.error_handler_spec.get(None, {}).items() if found}
    everywhere = [{"": list(table.get(None) or [])} for table in by_blueprint]
    return [*everywhere, errors, dict(jinja.filters), dict(jinja.globals), dict(jinja.tests)]


def _template_folders(scratch: Flask) -> list[Path]:
    found = [
        Path(blueprint.root_path) / blueprint.template_folder
        for blueprint in scratch.iter_blueprints()
        if blueprint.template_folder is not None
    ]
    return [folder for folder in found if folder.is_dir()]
