"""Loading plugins: discover, try out apart, check, then commit all of one or none of it.

States: installed (pip) -> loaded or quarantined (here, per process) -> enabled for a year (a row) -> open (its dates).
A plugin that fails in any way is quarantined with its reason; the others, and the site, go on.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import click
import pluggy
import structlog
from flask import Flask, current_app

from core.discretion import discreet
from core.errors import ConfigError
from core.plugin import hookspecs
from core.plugin.checks import check_catalogues, check_plugin
from core.plugin.imports import watched_import
from core.plugin.types import (
    BankFormat,
    EntryKind,
    JobSpec,
    Offer,
    Permission,
    Plugin,
    Program,
    Register,
    Report,
    Scheme,
)

EXTENSION = "zhijia_registry"
#: How the names begin under which areas of the core answer hooks; no plugin's name has a dot.
CORE_AREA = "core."
log = structlog.get_logger()
T = TypeVar("T")


@dataclass(frozen=True)
class Candidate:
    """A plugin that may be loaded; ``bring`` imports and returns the module (or object) with its hooks.

    ``version`` is that of its distribution, if it has one.
    """

    name: str
    bring: Callable[[], object]
    version: str | None = None


def _new_manager() -> pluggy.PluginManager:
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


@dataclass
class Registry:
    """What is loaded in this process, by code, and what is not and why."""

    plugins: dict[str, Plugin] = field(default_factory=dict)
    failed: dict[str, BaseException] = field(default_factory=dict)
    versions: dict[str, str | None] = field(default_factory=dict)  # plugin name -> version of its distribution
    programs: dict[str, Program] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)  # program code -> plugin name
    permissions: dict[str, Permission] = field(default_factory=dict)
    registers: dict[str, Register] = field(default_factory=dict)
    jobs: dict[str, JobSpec] = field(default_factory=dict)
    schemes: dict[str, Scheme] = field(default_factory=dict)
    entry_kinds: dict[str, EntryKind] = field(default_factory=dict)
    reports: dict[str, Report] = field(default_factory=dict)
    bank_formats: dict[str, BankFormat] = field(default_factory=dict)
    offers: dict[str, Offer] = field(default_factory=dict)
    accounts: frozenset[str] | None = None  # codes that entry kinds may name; none: not asked
    manager: pluggy.PluginManager = field(default_factory=_new_manager)

    def add(self, name: str, module: object) -> None:
        """Check the plugin's answers and take all of them, or raise and take none."""
        self.take(collect(name, module), module)

    def take(self, plugin: Plugin, module: object) -> None:
        """Take a plugin that was collected, unless it clashes with one that is already here."""
        self._check_beside(plugin)
        self.manager.register(module, plugin.name)
        self.plugins[plugin.name] = plugin
        for program in plugin.programs:
            self.programs[program.code] = program
            self.owners[program.code] = plugin.name
        self.permissions |= {item.code: item for item in plugin.permissions}
        self.registers |= {item.code: item for item in plugin.registers}
        self.jobs |= {item.name: item for item in plugin.jobs}
        self.schemes |= {item.code: item for item in plugin.schemes}
        self.entry_kinds |= {item.code: item for item in plugin.entry_kinds}
        self.reports |= {item.code: item for item in plugin.reports}
        self.bank_formats |= {item.code: item for item in plugin.bank_formats}
        self.offers |= {item.code: item for item in plugin.offers}

    def answer(self, area: str, module: object) -> None:
        """Let an area of the core answer hooks beside the plugins."""
        self.manager.register(module, CORE_AREA + area)

    def without(self, name: str) -> "Registry":
        """All that is loaded but this plugin and those that require it, in a registry of its own, to try things in."""
        copy = Registry(accounts=self.accounts)
        for plugin in self.plugins.values():
            if plugin.name != name and plugin.requires <= set(copy.programs):
                copy.take(plugin, self.manager.get_plugin(plugin.name))
        return copy

    def _check_beside(self, plugin: Plugin) -> None:
        for other in self.plugins.values():
            if f"{other.name}_".startswith(f"{plugin.name}_") or f"{plugin.name}_".startswith(f"{other.name}_"):
                raise ConfigError(f"The plugin name {plugin.name!r} cannot be told from {other.name!r} in table names.")
        for program in plugin.programs:
            if program.code in self.programs:
                raise ConfigError(f"The program code {program.code!r} belongs to {self.owners[program.code]!r}.")
        for kind in plugin.entry_kinds:
            for code in (kind.debit, kind.credit):
                if self.accounts is not None and code not in self.accounts:
                    raise ConfigError(f"The entry kind {kind.code!r} posts to {code!r}, which the chart does not have.")
        missing = plugin.requires - set(self.programs)
        if missing:
            raise ConfigError(f"It requires {', '.join(sorted(missing))}, which is not loaded.")

    @contextmanager
    def quarantine(self, name: str, *, strict: bool) -> Iterator[None]:
        """Keep whatever a plugin raises inside the plugin, with the reason; ``strict`` lets it out."""
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # also SystemExit: any failure at all must stay inside the plugin
            if strict:
                raise
            self.failed[name] = error


def collect(name: str, module: object) -> Plugin:
    """Ask a plugin everything, apart from the others, and check it. Raises whatever is wrong, and leaves no trace."""
    manager = _new_manager()
    manager.register(module, name)
    manager.check_pending()

    def one(hook: str, default: T) -> T:
        answers = getattr(manager.hook, hook)()
        return answers[0] if answers else default

    plugin = Plugin(
        name=name,
        programs=one("programs", []),
        blueprints=one("blueprints", {}),
        permissions=one("permissions", []),
        registers=one("registers", []),
        jobs=one("jobs", []),
        schemes=one("schemes", []),
        entry_kinds=one("entry_kinds", []),
        reports=one("reports", []),
        bank_formats=one("bank_formats", []),
        offers=one("offers", []),
        commands=one("commands", []),
        migrations=one("migrations", None),
    )
    check_plugin(plugin)
    check_catalogues(module)
    return plugin


def load(registry: Registry, candidates: list[Candidate], *, strict: bool) -> None:
    """Take what is in order, and say in the log what is not; ``strict`` raises instead."""
    try_all(registry, candidates, strict=strict)
    for name, error in registry.failed.items():
        log.error("plugin quarantined", plugin=name, reason=reason_of(error))


def try_all(registry: Registry, candidates: list[Candidate], *, strict: bool) -> None:
    """Take plugins in the order given, except that one comes after those that it requires."""
    waiting: dict[str, tuple[Plugin, object]] = {}
    for candidate in candidates:
        with registry.quarantine(candidate.name, strict=strict):
            if candidate.name in registry.versions:
                raise ConfigError("Another plugin of this name is installed, and was taken first.")
            registry.versions[candidate.name] = candidate.version
            with watched_import(candidate.name):
                module = candidate.bring()
            waiting[candidate.name] = collect(candidate.name, module), module
    while waiting:
        ready = [name for name, (plugin, _) in waiting.items() if plugin.requires <= set(registry.programs)]
        # If none is ready, what it requires is missing or waits for itself: taking it says so.
        name = (ready or list(waiting))[0]
        with registry.quarantine(name, strict=strict):
            registry.take(*waiting.pop(name))


def given(plugins: Mapping[str, object]) -> list[Candidate]:
    """Plugins that are at hand as objects (tests)."""
    return [Candidate(name, lambda module=module: module) for name, module in plugins.items()]  # type: ignore[misc]


def mount(app: Flask, registry: Registry) -> None:
    """Put the pages and the commands of every loaded plugin into the app.

    The program is a fixed value of its addresses, so that the gate knows it from the address alone.
    """
    for plugin in registry.plugins.values():
        for code, blueprint in plugin.blueprints.items():
            prefix = f"/<int:year>/<sponsor>/{code}"
            app.register_blueprint(blueprint, url_prefix=prefix, url_defaults={"program": code})
        if plugin.commands:
            group = click.Group(plugin.name.replace("_", "-"), help=", ".join(p.title_en for p in plugin.programs))
            for command in plugin.commands:
                group.add_command(command)
            app.cli.add_command(group)


def reason_of(error: BaseException) -> str:
    """Why a plugin is in quarantine, in one line of at most 300 signs."""
    said = " ".join(discreet(str(error)).split())
    said = said if len(said) <= 300 else f"{said[:299]}…"
    return said if isinstance(error, ConfigError) else f"{type(error).__name__}: {said}"


def registry_of(app: Flask | None = None) -> Registry:
    """The registry of the app, or of the current one."""
    registry: Registry = (app or current_app).extensions[EXTENSION]
    return registry
