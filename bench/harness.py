"""Measuring: medians of three, value and floor by turns in one run, so that both meet the same machine.

A bench is a name, a size and a function that prepares the work on an application with an empty, migrated database.
"""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import groupby
from pathlib import Path

import psycopg
from flask import Flask
from psycopg import sql
from sqlalchemy.engine import make_url

from core import create_app
from core.config import ROOT, load_settings
from core.embedded import as_application, start_postgres, start_redis
from core.extensions import db
from core.plugin.tables import migrate_all, owner_engine
from core.wall import beyond_scope

ROUNDS = 3
LATEST = ROOT / "bench" / "latest.json"
#: Servers of its own, with the settings of a real installation; the demonstration's data stay untouched.
INSTANCE = ROOT / "instance" / "bench"
DATABASE = "zhijia_bench"
Step = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Work:
    """What is measured, against what, and what puts things back before each of them.

    A step that returns a ``float`` has measured its seconds itself.
    """

    run: Step
    floor: Step | None = None
    reset: Step | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    """``aim`` is the ratio to the floor, or seconds where the work has no floor; none where we only look.

    Benches of one size with the same ``share`` are measured on one database, one after the other: what the first of
    them has prepared is there for the others.
    """

    name: str
    n: int
    aim: float | None
    prepare: Callable[[Flask], Work]
    share: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """One figure; ``ratio`` is nothing where there is no floor, and ``aim`` is then in seconds."""

    name: str
    n: int
    seconds: float
    floor_seconds: float | None
    ratio: float | None
    aim: float | None

    @property
    def met(self) -> bool:
        """Whether the aim was reached."""
        return self.aim is None or (self.seconds if self.ratio is None else self.ratio) <= self.aim


def measure(name: str, n: int, work: Work, aim: float | None, clock: Callable[[], float] = time.perf_counter) -> Result:
    """Run the work and its floor by turns; the medians of :data:`ROUNDS` rounds, in seconds."""

    def timed(step: Step) -> float:
        if work.reset:
            work.reset()
        before = clock()
        own = step()
        return own if isinstance(own, float) else clock() - before

    values, floors = [], []
    for _round in range(ROUNDS):
        values.append(timed(work.run))
        if work.floor:
            floors.append(timed(work.floor))
    seconds = statistics.median(values)
    floor = statistics.median(floors) if floors else None
    return Result(name, n, seconds, floor, seconds / floor if floor else None, aim)


@contextmanager
def fresh_app() -> Iterator[Flask]:
    """An application on an empty, migrated database of the bench's own server."""
    server = make_url(start_postgres(INSTANCE))
    name = sql.Identifier(DATABASE)
    plain = server.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    url = server.set(database=DATABASE).render_as_string(hide_password=False)
    settings = load_settings({"ZHIJIA_INSTANCE": str(INSTANCE)})
    settings = replace(settings, database_url=as_application(url), owner_url=url, redis_url=start_redis(INSTANCE))
    app = create_app(settings)
    with app.app_context(), beyond_scope("a bench"):
        migrate_all()
        _let_make_tables(app)
        yield app
        db.session.remove()
        db.engine.dispose()


def _let_make_tables(app: Flask) -> None:
    """The application's role makes nothing; here it does, as floors write into tables of their own."""
    role = make_url(app.config["SQLALCHEMY_DATABASE_URI"]).username
    with owner_engine() as engine, engine.begin() as connection:
        for where in ("SCHEMA public", f'DATABASE "{DATABASE}"'):
            connection.exec_driver_sql(f'GRANT CREATE ON {where} TO "{role}"')


def empty(*tables: str) -> None:
    """Throw away all rows of these tables and of those that point at them, past the guards that forbid it."""
    names = sql.SQL(", ").join(sql.Identifier(table) for table in tables)
    with owner_engine() as engine, engine.connect() as connection:
        cursor = connection.connection.cursor()
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql.SQL("TRUNCATE {} CASCADE").format(names))
        connection.connection.commit()


def run(benches: Sequence[Bench], only: str = "") -> list[Result]:
    """Measure those whose name begins with ``only``, in order of name and size, each on a database of its own or, where
    they share one, on that.
    """
    chosen = [bench for bench in benches if bench.name.startswith(only)]
    ordered = sorted(chosen, key=lambda bench: (bench.share or bench.name, bench.n, bench.name))
    results = []
    for _database, group in groupby(ordered, key=lambda bench: (bench.share or bench.name, bench.n)):
        with fresh_app() as app:
            results += [measure(bench.name, bench.n, bench.prepare(app), bench.aim) for bench in group]
    return results


def save(results: Sequence[Result], file: Path = LATEST) -> list[Result]:
    """Write the figures beside those of benches that were not run this time; returns all of them."""
    old = [Result(**row) for row in json.loads(file.read_text())] if file.exists() else []
    merged = {(result.name, result.n): result for result in [*old, *results]}
    kept = [merged[key] for key in sorted(merged)]
    file.write_text(json.dumps([asdict(result) for result in kept], indent=1) + "\n")
    return kept


def table(results: Sequence[Result]) -> str:
    """The figures as people read them."""
    rows = [("name", "n", "seconds", "floor", "ratio", "aim", "")]
    for result in results:
        rows.append(
            (
                result.name,
                f"{result.n:,}",
                f"{result.seconds:.3f}",
                "" if result.floor_seconds is None else f"{result.floor_seconds:.3f}",
                "" if result.ratio is None else f"{result.ratio:.2f}",
                "" if result.aim is None else f"{result.aim:g}" + (" s" if result.ratio is None else ""),
                "" if result.met else "missed",
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    name, *figures = row
    cells = [name.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(figures, widths[1:], strict=True))]
    return "  ".join(cells).rstrip()
