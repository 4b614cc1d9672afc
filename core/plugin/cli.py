"""``zhijia plugin ...``: what is loaded, what is in quarantine and why, and what is wrong with a plugin."""

import sys

import click
from flask.cli import AppGroup

from core.config import settings_of
from core.plugin.distributions import allowing, not_allowed, version_of
from core.plugin.examine import examine, known_names
from core.plugin.registry import reason_of, registry_of
from core.plugin.tables import table_states


@click.group("plugin", cls=AppGroup)
def plugin() -> None:
    """The plugins: which are loaded, which are in quarantine, what is wrong with one."""


@plugin.command("list")
def plugin_list() -> None:
    """One line a plugin: loaded with its programs and tables, quarantined with the reason, or not allowed."""
    registry, states = registry_of(), table_states()
    for one in registry.plugins.values():
        words = [", ".join(program.code for program in one.programs) or "no program"]
        if one.name in states:
            state = states[one.name]
            words.append(state.fault or f"tables at {state.here or 'none'}")
            if state.behind and not state.fault:
                words.append(f"newest is {state.newest}, run: zhijia db upgrade")
        click.echo(f"loaded {_titled(one.name, registry.versions.get(one.name))}: {'; '.join(words)}")
    for name, error in registry.failed.items():
        click.echo(f"quarantined {_titled(name, registry.versions.get(name))}: {reason_of(error)}")
    allowed = settings_of().plugins
    for point in not_allowed(allowed):
        version = version_of(point)
        click.echo(f"not allowed {_titled(point.name, version)}: set {allowing(point, allowed)} to load it")


@plugin.command("check")
@click.argument("name", required=False)
def plugin_check(name: str | None) -> None:
    """Try a plugin out, or all that are installed: one line for each thing that is wrong; exit 1 if there is any."""
    wrong = 0
    for one in [name] if name else known_names():
        found = examine(one)
        wrong += len(found.findings)
        for line in found.findings:
            click.echo(f"{one}: {line}", err=True)
        if not found.findings:
            click.echo(" ".join([one, "ok", *(f"({note})" for note in found.notes)]))
    if wrong:
        sys.exit(1)


def _titled(name: str, version: str | None) -> str:
    return f"{name} {version}" if version else name
