"""What many plugins cost: the start of a process, and a page, with thirty of them against four.

The plugins are those that ``zhijia plugin new`` writes, found by their entry points as installed ones are.
"""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

from flask import Flask

from bench.harness import INSTANCE, Bench, Work
from core import create_app
from core.audit.services import SYSTEM
from core.config import settings_of
from core.org.models import Org
from core.plugin.registry import Registry, registry_of
from core.plugin.scaffold.making import make_plugin
from core.plugin.tables import migrate_all
from core.programs.services import enable
from core.users.services import GrantRequest, create_user
from core.users.testing import PASSWORD, Browser, plant
from core.wall import beyond_scope

FEW, MANY = 4, 30
FOLDER = INSTANCE / "plugins"
STARTS, REQUESTS = 5, 300
PAGE = "/2014/61/winter_warmth/"
_START = "from core import create_app; create_app()"


@cache
def _write(count: int) -> tuple[str, ...]:
    """Write that many plugins where Python finds them, and return their names."""
    if FOLDER.exists():
        shutil.rmtree(FOLDER)
    FOLDER.mkdir(parents=True)
    names = tuple(f"club{number:02d}" for number in range(count))
    for name in names:
        make_plugin(name, "职工读书会", "Reading clubs", FOLDER)
        announced = FOLDER / name / f"{name}-1.0.dist-info"
        announced.mkdir()
        (announced / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: zhijia\n"
        )
        (announced / "entry_points.txt").write_text(f"[zhijia.plugins]\n{name} = {name}.plugin\n")
    return names


def _built_in() -> int:
    return len(registry_of().plugins)


def _whole(registry: Registry, count: int) -> None:
    if len(registry.plugins) != count or registry.failed:
        raise AssertionError(f"{len(registry.plugins)} of {count} plugins are loaded; failed: {registry.failed}")


def _start(names: tuple[str, ...]) -> float:
    """Seconds that a new process takes to make the application: the fastest of a few, as nothing makes it faster."""
    settings = settings_of()
    environ = os.environ | {
        "PYTHONPATH": os.pathsep.join([str(Path.cwd()), *(str(FOLDER / name) for name in names)]),
        "ZHIJIA_PLUGINS": " ".join(names),
        "ZHIJIA_STRICT_PLUGINS": "1",
        "ZHIJIA_INSTANCE": str(settings.instance),
        "ZHIJIA_DATABASE_URL": settings.database_url or "",
        "ZHIJIA_REDIS_URL": settings.redis_url or "",
    }
    fastest = float("inf")
    for _start_again in range(STARTS):
        before = time.perf_counter()
        subprocess.run([sys.executable, "-c", _START], env=environ, check=True)
        fastest = min(fastest, time.perf_counter() - before)
    return fastest


def prepare_start(_app: Flask) -> Work:
    """A plugin's part of the start: the difference between many and few, for each that is more."""
    names = _write(MANY - _built_in())
    few = names[: FEW - _built_in()]
    return Work(run=lambda: (_start(names) - _start(few)) / (MANY - FEW))


def _asking(names: tuple[str, ...], count: int) -> Callable[[], float]:
    """Ask for the page of a program year, in an application with these plugins; the seconds of one request."""
    app = create_app(replace(settings_of(), plugins=names, strict_plugins=True))
    _whole(registry_of(app), count)
    app.test_client_class = Browser
    browser = app.test_client()
    browser.post("/login", data={"username": "bench", "password": PASSWORD})

    def ask() -> float:
        before = time.perf_counter()
        status = browser.get(PAGE).status_code
        seconds = time.perf_counter() - before
        if status != 200:
            raise AssertionError(f"{PAGE} answers {status}")
        return seconds

    return ask


class _Turns:
    """Two askers, request by request in turn, so that whatever else the machine does meets both; medians."""

    def __init__(self, many: Callable[[], float], few: Callable[[], float]) -> None:
        self._many, self._few, self._floor = many, few, 0.0
        for _warm in range(20):  # templates are compiled and catalogues read once
            many(), few()

    def many(self) -> float:
        """Seconds of the median request with many plugins."""
        pairs = [(self._many(), self._few()) for _again in range(REQUESTS)]
        self._floor = statistics.median(few for _many, few in pairs)
        return statistics.median(many for many, _few in pairs)

    def few(self) -> float:
        """The same with few, measured between those."""
        return self._floor


def prepare_request(_app: Flask) -> Work:
    """A page of a program year with many plugins loaded, against the same with few."""
    names = _write(MANY - _built_in())
    sys.path += [str(FOLDER / name) for name in names]
    province: Org = plant("61")
    grants = [GrantRequest(role="clerk", org=province, program=None, until=None)]
    create_user(SYSTEM, "bench", "bench", PASSWORD, province, grants, first=False)
    enable(SYSTEM, "winter_warmth", 2014, province, opens_on=date(2014, 1, 1), settings={"pool": 1})
    full = create_app(replace(settings_of(), plugins=names))
    with full.app_context(), beyond_scope("a bench"):
        migrate_all()
    turns = _Turns(_asking(names, MANY), _asking(names[: FEW - _built_in()], FEW))
    return Work(run=turns.many, floor=turns.few)


BENCHES = [
    Bench("plugins.request", n=MANY, aim=1.03, prepare=prepare_request),
    Bench("plugins.start_each", n=MANY - FEW, aim=0.025, prepare=prepare_start),
]
