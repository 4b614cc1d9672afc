"""Loading plugins: discover, try out apart, check, then commit all of one or none of it.

States: installed (pip) -> loaded or quarantined (here, per process) -> enabled for a year (a row) -> open (its dates).
A plugin that fails in any way is quarantined with its reason; the others, and the site, go on.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, TypeVar

import click
import pluggy
import structlog
from flask import Blueprint, Flask, current_app

from core.errors import ConfigError
from core.plugin import hookspecs
from core.plugin.types import EntryKind, JobSpec, Permission, Program, Scheme

GROUP = "zhijia.plugins"
EXTENSION = "zhijia_registry"
log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True)
class Plugin:
    """One plugin and everything that it answered at start."""

    name: str
    programs: list[Program]
    blueprints: Mapping[str, Blueprint]
    permissions: list[Permission]
    jobs: list[JobSpec]
    schemes: list[Scheme]
    entry_kinds: list[EntryKind]
    commands: list[click.Command]
    migrations: Path | None


@dataclass
class Registry:
    """What is loaded in this process, by code, and what is not and why."""

    plugins: dict[str, Plugin] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # program code -> plugin name
    permissions: dict[str, Permission] = field(default_factory=dict)
    jobs: dict[str, JobSpec] = field(default_factory=dict)
    schemes: dict[str, Scheme] = field(default_factory=dict)
    entry_kinds: dict[str, EntryKind] = field(default_factory=dict)
    manager: pluggy.PluginManager = field(default_factory=lambda: _new_manager())

    def add(self, name: str, module: Any) -> None:
        """Check the plugin's answers and take all of them, or raise and take none."""
        scratch = _new_manager()
        scratch.register(module, name)
        scratch.check_pending()
        plugin = _collect(name, scratch)
        self._check(plugin)
        self.manager.register(module, name)
        self.plugins[name] = plugin
        for program in plugin.programs:
            self.programs[program.code] = program
            self.owners[program.code] = name
        self.permissions |= {item.code: item for item in plugin.permissions}
        self.jobs |= {item.name: item for item in plugin.jobs}
        self.schemes |= {item.code: item for item in plugin.schemes}
        self.entry_kinds |= {item.code: item for item in plugin.entry_kinds}

    def _check(self, plugin: Plugin) -> None:
        prefix = f"{plugin.name}."
        codes = [permission.code for permission in plugin.permissions]
        codes += [scheme.code for scheme in plugin.schemes]
        codes += [kind.code for kind in plugin.entry_kinds]
        codes += [job.name for job in plugin.jobs]
        for code in codes:
            if not code.startswith(prefix):
                raise ConfigError(f"{code!r} must begin with {prefix!r}.")
        for program in plugin.programs:
            if program.code in self.programs:
                raise ConfigError(f"The program code {program.code!r} belongs to {self.owners[program.code]!r}.")
        own = {program.code for program in plugin.programs}
        for code, blueprint in plugin.blueprints.items():
            if code not in own:
                raise ConfigError(f"The blueprint {blueprint.name!r} names the program {code!r}, which is not its own.")
            if blueprint.name != plugin.name:
                raise ConfigError(f"The blueprint {blueprint.name!r} must be named {plugin.name!r}.")


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def _collect(name: str, manager: pluggy.PluginManager) -> Plugin:
    def one(hook: str, default: T) -> T:
        answers = getattr(manager.hook, hook)()
        return answers[0] if answers else default

    return Plugin(
        name=name,
        programs=one("programs", []),
        blueprints=one("blueprints", {}),
        permissions=one("permissions", []),
        jobs=one("jobs", []),
        schemes=one("schemes", []),
        entry_kinds=one("entry_kinds", []),
        commands=one("commands", []),
        migrations=one("migrations", None),
    )


def load(registry: Registry, *, allowed: tuple[str, ...], strict: bool) -> None:
    """Load every built-in plugin, and the foreign ones that ``allowed`` names, in name order."""
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        if not _is_built_in(point) and point.name not in allowed:
            continue
        try:
            registry.add(point.name, point.load())
        except Exception as error:  # any failure at all must stay inside the plugin
            if strict:
                raise
            log.error("plugin quarantined", plugin=point.name, reason=str(error))
            registry.failed[point.name] = error


def _is_built_in(point: EntryPoint) -> bool:
    return point.module.startswith("plugins.")


def registry_of(app: Flask | None = None) -> Registry:
    """The registry of the app, or of the current one."""
    registry: Registry = (app or current_app).extensions[EXTENSION]
    return registry
