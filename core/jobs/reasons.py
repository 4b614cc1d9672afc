"""The sentences that say why a job did not get done."""

from flask_babel import gettext as _

from core.discretion import discreet
from core.plugin.registry import registry_of

_LONGEST = 500


def missing_job(name: str) -> str:
    """Why this process does not know the job: its plugin is quarantined, or not installed."""
    registry = registry_of()
    plugin = name.partition(".")[0]
    if plugin in registry.failed:
        return str(_(
            "The plugin %(plugin)s is out of service, so %(job)s cannot run: %(reason)s",
            plugin=plugin, job=name, reason=one_line(registry.failed[plugin]),
        ))  # fmt: skip
    if plugin in registry.plugins:
        return str(_("The plugin %(plugin)s has no job %(job)s any more.", plugin=plugin, job=name))
    return str(_("The plugin %(plugin)s, which brings the job %(job)s, is not installed.", plugin=plugin, job=name))


def one_line(error: BaseException) -> str:
    """``ValueError: what it said``, on one line, for a list; the traceback holds the rest."""
    lines = discreet(str(error)).strip().splitlines()
    said = f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
    return said if len(said) <= _LONGEST else said[: _LONGEST - 1] + "…"


def took_too_long(seconds: int) -> str:
    """The time limit of the job is over."""
    return str(_("It took longer than the %(seconds)s seconds that this job may take.", seconds=seconds))


def worker_stopped(times: int) -> str:
    """The job brought its worker down, or the machine was switched off, once too often."""
    return str(_("The worker stopped %(times)s times while it ran this job.", times=times))
