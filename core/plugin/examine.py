"""What ``zhijia plugin check`` looks at beside the rules of loading: tables, templates, catalogue, distribution."""

from dataclasses import dataclass, field
from importlib.metadata import EntryPoint
from pathlib import Path

from flask import current_app
from jinja2 import TemplateSyntaxError

from core.database import metadata
from core.errors import ConfigError, NotFound
from core.extensions import db
from core.plugin.check_pages import template_folders
from core.plugin.distributions import candidate_of, installed, is_built_in, written_for
from core.plugin.migrate import Owner, current, differences, head
from core.plugin.registry import Candidate, reason_of, registry_of, try_all
from core.plugin.types import Plugin, Register
from core.web.messages import catalogue_of, faults


@dataclass
class Examined:
    """What was found wrong with a plugin, a sentence each, and what is merely worth knowing."""

    name: str
    findings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def taken_names() -> set[str]:
    """Every plugin that is installed, allowed or not, and those that were loaded otherwise."""
    return {point.name for point in installed()} | set(registry_of().plugins)


def known_names() -> list[str]:
    """All of these, and what else is in quarantine: also a name that only ``ZHIJIA_PLUGINS`` knows."""
    return sorted(taken_names() | set(registry_of().failed))


def examine(name: str) -> Examined:
    """Try a plugin out beside those that are loaded, also one that is not allowed yet, and look at all it brings.

    Raises :class:`NotFound` when no plugin is called so.
    """
    points = [point for point in installed() if point.name == name]
    found = Examined(name)
    scratch = registry_of().without(name)
    try_all(scratch, [candidate_of(points[0]) if points else _not_installed(name)], strict=False)
    found.findings += [reason_of(error) for error in scratch.failed.values()]
    if name in scratch.plugins:
        plugin = scratch.plugins[name]
        _examine_tables(plugin, found)
        found.notes += [note for register in plugin.registers for note in unindexed(register)]
        # Texts are also taken from the templates, which must be readable for that.
        found.findings += _template_faults(plugin) or _text_faults(scratch.manager.get_plugin(name))
    found.findings += [fault for point in points for fault in _distribution_faults(point)]
    return found


def _not_installed(name: str) -> Candidate:
    """A plugin that came into this process by another way than by being installed."""
    registry = registry_of()
    if name not in {*registry.plugins, *registry.failed}:
        there = ", ".join(known_names()) or "none"
        raise NotFound(f"No plugin that is installed is called {name!r}; there are {there}.")

    def bring() -> object:
        if name in registry.failed:
            raise registry.failed[name]
        return registry.manager.get_plugin(name)

    return Candidate(name, bring)


def _examine_tables(plugin: Plugin, found: Examined) -> None:
    own = [table for table in metadata.tables if table.startswith(f"{plugin.name}_")]
    if plugin.migrations is None:
        if own:
            found.findings.append(f"It has the table {own[0]} and no migrations.")
        return
    owner = Owner(plugin.name, plugin.migrations)
    try:
        newest = head(owner)
    except ConfigError as error:
        found.findings.append(str(error))
        return
    with db.engine.connect() as connection:
        here = current(owner, connection)
        if here == newest:
            found.findings += [f"models and tables differ: {line}" for line in differences(owner, connection)]
        else:
            where = f"at {here}, the newest revision is {newest}" if here else "not migrated yet"
            found.notes.append(f"{where}; run: zhijia db upgrade --plugin {plugin.name}")


def unindexed(register: Register) -> list[str]:
    """Columns that a list can be sorted by, which the database would have to sort anew for every page."""
    table = register.model.__table__
    whose = next(name for name in ("program_year_id", "sponsor_id") if name in table.columns)
    begin = {tuple(index.columns.keys()[:2]) for index in (*table.indexes, *table.constraints)}
    return [
        f"The list of {register.code!r} is sorted by {column.name!r}, for which there is no index; "
        f'add Index(..., "{whose}", "{column.name}", "id").'
        for column in register.columns
        if column.sort and column.expression is None and (whose, column.name) not in begin
    ]


def _template_faults(plugin: Plugin) -> list[str]:
    found = []
    for folder in template_folders(plugin):
        for file in sorted(folder.rglob("*.html")):
            name = str(file.relative_to(folder))
            try:
                current_app.jinja_env.compile(file.read_text(encoding="utf-8"), name)
            except TemplateSyntaxError as error:
                found.append(f"The template {name}, line {error.lineno}: {error.message}")
            except UnicodeDecodeError:
                found.append(f"The template {name} is not text in UTF-8.")
    return found


def _text_faults(module: object) -> list[str]:
    """What a Chinese page would show in English; asked only of packages, which have a folder of their own."""
    file = getattr(module, "__file__", None)
    if file is None or not getattr(module, "__package__", None):
        return []
    folder = Path(file).parent
    try:
        return list(faults(folder, catalogue_of(folder)))
    except Exception as error:  # noqa: BLE001 - whatever is wrong with its files is a finding
        return [f"Its texts cannot be read: {reason_of(error)}"]


def _distribution_faults(point: EntryPoint) -> list[str]:
    if is_built_in(point):
        return []
    try:
        wanted = written_for(point)
    except ConfigError:
        return []  # loading said so
    if wanted:
        return []
    return ["Its distribution does not say for which zhijia it is written (install_requires = zhijia>=0.1,<0.2)."]
