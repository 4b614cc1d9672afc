"""Installed distributions that bring plugins: which there are, which may load, for which zhijia each is written.

All of this is read from the metadata of the distributions; nothing is imported before it was found to fit.
"""

from functools import partial
from importlib.metadata import EntryPoint, entry_points
from importlib.metadata import version as version_of_distribution

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from core.errors import ConfigError
from core.plugin.registry import Candidate

GROUP = "zhijia.plugins"
HOUSE = "zhijia"


def installed() -> list[EntryPoint]:
    """Every plugin that is installed: the built-in ones in name order, then the foreign ones."""
    return sorted(entry_points(group=GROUP), key=lambda point: (not is_built_in(point), point.name))


def discover_plugins(allowed: tuple[str, ...]) -> list[Candidate]:
    """The built-in plugins in name order, then the foreign ones that ``allowed`` names: none of these comes first."""
    points = installed()
    found = [candidate_of(point) for point in points if is_built_in(point) or point.name in allowed]
    missing = sorted(set(allowed) - {point.name for point in points})
    return [*found, *(Candidate(name, _not_installed) for name in missing)]


def not_allowed(allowed: tuple[str, ...]) -> list[EntryPoint]:
    """Foreign plugins that are installed and not named in ``allowed`` (``ZHIJIA_PLUGINS``)."""
    return [point for point in installed() if not is_built_in(point) and point.name not in allowed]


def allowing(point: EntryPoint, allowed: tuple[str, ...]) -> str:
    """The line that lets a plugin load at the next start, beside those that are allowed already."""
    return f"ZHIJIA_PLUGINS={','.join([*allowed, point.name])}"


def is_built_in(point: EntryPoint) -> bool:
    """Whether the plugin comes with the core and needs no leave."""
    return point.module.startswith("plugins.")


def candidate_of(point: EntryPoint) -> Candidate:
    """The plugin behind an entry point; it is imported only after its distribution was found to fit."""
    return Candidate(point.name, partial(_bring, point), version_of(point))


def version_of(point: EntryPoint) -> str | None:
    """The version of the plugin's distribution."""
    return point.dist.version if point.dist else None


def written_for(point: EntryPoint) -> SpecifierSet:
    """The versions of zhijia that its distribution requires; empty when it does not say.

    Raises :class:`ConfigError` when a requirement cannot be read.
    """
    found = SpecifierSet()
    for line in (point.dist.requires if point.dist else None) or []:
        try:
            requirement = Requirement(line)
        except InvalidRequirement as error:
            raise ConfigError(f"Its distribution requires {line!r}, which cannot be read.") from error
        applies = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
        if applies and canonicalize_name(requirement.name) == HOUSE:
            found &= requirement.specifier
    return found


def _bring(point: EntryPoint) -> object:
    wanted, here = written_for(point), version_of_distribution(HOUSE)
    if not wanted.contains(here, prereleases=True):
        # The lower bound first, as people write it.
        words = ",".join(sorted((str(one) for one in wanted), reverse=True))
        raise ConfigError(f"It is written for zhijia {words}; this is {here}.")
    return point.load()


def _not_installed() -> object:
    raise ConfigError("ZHIJIA_PLUGINS names it, but no such plugin is installed.")
