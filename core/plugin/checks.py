"""The rules that a plugin's answers must keep, each a sentence. Nothing here changes anything."""

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
from flask import Blueprint, Flask

from core.errors import ConfigError
from core.plugin.types import EntryKind, JobSpec, Permission, Plugin, Program, Register, Report, Scheme
from core.users.roles import PERMISSIONS, ROLES
from core.web.forms import Form

NAME = re.compile(r"[a-z][a-z0-9_]*[a-z0-9]")
#: First parts of addresses below ``/<year>/<sponsor>/<program>/`` that belong to the core.
RESERVED = ("", "runs", "settings", "ledger", "registers", "reports")
_LISTS: dict[str, type] = {
    "programs": Program,
    "permissions": Permission,
    "registers": Register,
    "jobs": JobSpec,
    "schemes": Scheme,
    "entry_kinds": EntryKind,
    "reports": Report,
    "commands": click.Command,
}


def check_plugin(plugin: Plugin) -> None:
    """Check one plugin by itself. Raises :class:`ConfigError` with the first thing that is wrong."""
    if not NAME.fullmatch(plugin.name) or plugin.name == "core":
        raise ConfigError(f"{plugin.name!r} cannot be a plugin's name; small letters, digits and _ can.")
    _check_types(plugin)
    _check_codes(plugin)
    _check_permissions(plugin)
    own = {program.code for program in plugin.programs}
    for job in plugin.jobs:
        _check_job(job, own)
    for scheme in plugin.schemes:
        if scheme.program not in own:
            raise ConfigError(f"The scheme {scheme.code!r} names the program {scheme.program!r}, which is not its own.")
        if scheme.entry_kind not in {kind.code for kind in plugin.entry_kinds}:
            raise ConfigError(f"The scheme {scheme.code!r} posts {scheme.entry_kind!r}, which is not an entry kind.")
    for code, blueprint in plugin.blueprints.items():
        if code not in own:
            raise ConfigError(f"The blueprint {blueprint.name!r} names the program {code!r}, which is not its own.")
        _check_blueprint(plugin.name, blueprint)
    if plugin.migrations is not None and not plugin.migrations.is_dir():
        raise ConfigError(f"The folder of migrations {plugin.migrations} does not exist.")


def _check_types(plugin: Plugin) -> None:
    for hook, kind in _LISTS.items():
        answer = getattr(plugin, hook)
        if not isinstance(answer, list) or not all(isinstance(item, kind) for item in answer):
            raise ConfigError(f"The hook {hook} must return a list of {kind.__name__}.")
    if not isinstance(plugin.blueprints, dict) or not all(
        isinstance(item, Blueprint) for item in plugin.blueprints.values()
    ):
        raise ConfigError("The hook blueprints must return a dict from program code to Blueprint.")
    if plugin.migrations is not None and not isinstance(plugin.migrations, Path):
        raise ConfigError("The hook migrations must return a Path.")


def _check_codes(plugin: Plugin) -> None:
    for program in plugin.programs:
        if not NAME.fullmatch(program.code):
            raise ConfigError(f"{program.code!r} cannot be a program code; small letters, digits and _ can.")
        form = program.settings_form
        if form is not None and not (isinstance(form, type) and issubclass(form, Form)):
            raise ConfigError(f"The settings form of {program.code!r} must be a class on core.api's Form.")
    kinds: tuple[Iterable[str], ...] = (
        [item.code for item in plugin.permissions],
        [item.name for item in plugin.jobs],
        [item.code for item in plugin.schemes],
        [item.code for item in plugin.entry_kinds],
        [item.code for item in plugin.registers],
        [item.code for item in plugin.reports],
    )
    for codes in kinds:
        for code in codes:
            if not code.startswith(f"{plugin.name}."):
                raise ConfigError(f"{code!r} must begin with {plugin.name + '.'!r}.")
    for codes in (*kinds, [program.code for program in plugin.programs]):
        for code, count in Counter(codes).items():
            if count > 1:
                raise ConfigError(f"{code!r} is given twice.")


def _check_permissions(plugin: Plugin) -> None:
    for permission in plugin.permissions:
        for role in permission.roles:
            if role not in ROLES:
                raise ConfigError(f"The permission {permission.code!r} names the role {role!r}, which does not exist.")
    known = {permission.code for permission in (*PERMISSIONS, *plugin.permissions)}
    for program in plugin.programs:
        if program.view_permission not in known:
            raise ConfigError(
                f"The program {program.code!r} asks for {program.view_permission!r}, which nobody defines."
            )


def _check_job(job: JobSpec, own: set[str]) -> None:
    if job.program is not None and job.program not in own:
        raise ConfigError(f"The job {job.name!r} names the program {job.program!r}, which is not its own.")


def _check_blueprint(plugin: str, blueprint: Blueprint) -> None:
    """Mount it on an app that is thrown away: what fails there leaves no half of it in ours."""
    if blueprint.name != plugin and not blueprint.name.startswith(f"{plugin}_"):
        raise ConfigError(f"The blueprint {blueprint.name!r} must be named {plugin!r}.")
    scratch = Flask("scratch", static_folder=None)
    scratch.register_blueprint(blueprint, url_prefix="/-")
    for rule in scratch.url_map.iter_rules():
        first = rule.rule.removeprefix("/-").lstrip("/").split("/")[0]
        if not rule.rule.startswith("/-") or first in RESERVED:
            raise ConfigError(f"The address {rule.rule.removeprefix('/-')!r} belongs to the core.")
    _check_reach(blueprint, scratch)
    for folder in _template_folders(blueprint):
        for child in folder.iterdir():
            if child.name != plugin and not child.name.startswith("."):
                raise ConfigError(f"The template {child.name!r} must lie in {folder / plugin}.")


def _check_reach(blueprint: Blueprint, scratch: Flask) -> None:
    """A blueprint may act on its own pages only, not on everybody's (``before_app_request`` and its like)."""
    everywhere: tuple[dict[Any, Any], ...] = (
        scratch.before_request_funcs,
        scratch.after_request_funcs,
        scratch.teardown_request_funcs,
        scratch.url_value_preprocessors,
        scratch.url_default_functions,
        scratch.error_handler_spec,
    )
    if any(table.get(None) for table in everywhere):
        raise ConfigError(f"The blueprint {blueprint.name!r} hooks into pages that are not its own.")


def _template_folders(blueprint: Blueprint) -> list[Path]:
    if blueprint.template_folder is None:
        return []
    folder = Path(blueprint.root_path) / blueprint.template_folder
    return [folder] if folder.is_dir() else []
