"""Broken while running: its job fails."""

from core.api import JobContext, JobSpec, Program, hookimpl
from tests.plugins_for_tests.broken.parts import program


def count(context: JobContext) -> None:
    raise ZeroDivisionError("nobody to divide by")


@hookimpl
def programs() -> list[Program]:
    return [program("job_raises")]


@hookimpl
def jobs() -> list[JobSpec]:
    return [JobSpec(name="job_raises.count", title="Count", func=count, program="job_raises")]
