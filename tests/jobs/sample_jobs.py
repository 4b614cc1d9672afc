"""A plugin that only the tests of the jobs have: the worker processes find it by its entry point, as any other."""

import time
from pathlib import Path

import pluggy
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from core.errors import Refused
from core.extensions import db
from core.jobs.context import JobContext
from core.plugin.types import JobSpec, Program

hookimpl = pluggy.HookimplMarker("zhijia")


def note(context: JobContext, path: str, line: str = "") -> None:
    """Write one line for each call, with who asked."""
    with Path(path).open("a") as handle:
        handle.write(f"{line or context.actor.name}\n")


def steps(context: JobContext, path: str, count: int, seconds: float = 0.1) -> None:
    """Write steps one by one, going on after the last one that an earlier attempt wrote."""
    done = len(Path(path).read_text().splitlines()) if Path(path).exists() else 0
    for step in range(done + 1, count + 1):
        db.session.execute(text("SELECT 1"))
        time.sleep(seconds)
        note(context, path, f"{step} of attempt {context.attempt}")
        context.progress(step, count, f"step {step}")


def refuse(context: JobContext) -> None:
    """Fail by a rule of the house."""
    raise Refused("The budget is used up.")


def stumble(context: JobContext) -> None:
    """Fail by a mistake in the code, whose text has two lines."""
    raise ValueError("no such thing\nsecond line")


def lose_database(context: JobContext, until_attempt: int) -> None:
    """Find the database away until a certain attempt."""
    if context.attempt < until_attempt:
        raise OperationalError("SELECT 1", {}, Exception("the server closed the connection"))


def sleep(context: JobContext, seconds: float) -> None:
    """Take longer than it may."""
    time.sleep(seconds)


@hookimpl
def programs() -> list[Program]:
    """The program that some of the jobs belong to."""
    return [Program(code="sample", title="Sample", title_zh="样例", title_en="Sample")]


@hookimpl
def jobs() -> list[JobSpec]:
    """Everything above by name."""
    functions = (note, steps, refuse, stumble, lose_database)
    return [
        *(JobSpec(name=f"sample.{one.__name__}", title=one.__name__, func=one) for one in functions),
        JobSpec(name="sample.sleep", title="sleep", func=sleep, patience=1),
        JobSpec(name="sample.of_program", title="of a program", func=note, program="sample"),
        JobSpec(name="sample.nightly", title="nightly", func=note, program="sample", schedule="30 2 * * *"),
        JobSpec(name="sample.money", title="money", func=note, queue="money"),
    ]
