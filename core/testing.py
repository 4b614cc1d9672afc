"""A pytest plugin for the core's tests and for those of plugin authors.

``app`` gives an application on a fresh database that was migrated once and copied for the test, so that code may
commit, and other processes see what it commits. Redis is emptied before each test that uses ``app``.
"""

import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from argon2 import PasswordHasher
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient
from flask_sqlalchemy import SQLAlchemy
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import select
from sqlalchemy.engine import make_url
from werkzeug.routing import Rule

from core import create_app, wall
from core.audit.testing import watch
from core.cli import zhijia
from core.config import ROOT, Settings, database_url
from core.data_keys import DataKeys
from core.disbursements.testing import make_person, pay_out, program_year
from core.embedded import make_role, start_postgres, start_redis, stop_postgres, stop_redis
from core.extensions import db as database
from core.jobs.models import Job
from core.jobs.runner import run
from core.plugin.tables import migrate_all
from core.plugin.testing import assert_walls
from core.users import passwords
from core.users.testing import Browser, as_user, make_user, small_tree
from core.wall import Reach, reach_as
from core.web.testing import browser, context, end_tree, environ_of, live_server, open_as, page

__all__ = [
    "app",
    "as_user",
    "assert_walls",
    "browser",
    "client",
    "context",
    "db",
    "instance",
    "live_server",
    "make_person",
    "make_user",
    "open_as",
    "page",
    "pay_out",
    "plugins",
    "program_year",
    "run_command",
    "run_jobs",
    "server_urls",
    "settings",
    "small_tree",
    "worker_process",
]

#: Which of several processes of one test run this is: each has servers, or at least databases, of its own.
PROCESS = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
TEMPLATE = f"zhijia_template_{PROCESS}"
#: The role that the applications of tests connect as, as others do: it owns nothing.
ROLE = "zhijia_test_app"
#: Free bytes that the servers of a test run need, with some to spare.
ROOM = 4 * 1024**3


@pytest.fixture(scope="session")
def instance() -> Iterator[Path]:
    """The folder of this test run: embedded servers, generated files.

    Not below pytest's own: its rights are changed by the next test run, and PostgreSQL would lose its data.
    """
    folder = Path(tempfile.mkdtemp(prefix="zhijia-test-", dir=_memory()))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def _memory() -> str | None:
    """The file system in memory, when it has room: there a database is copied ten times faster than on a disk."""
    memory = Path("/dev/shm")  # noqa: S108 - the folder made in it is ours alone
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return str(memory) if has_room else None


@pytest.fixture(scope="session")
def server_urls(instance: Path) -> Iterator[tuple[str, str]]:
    """PostgreSQL (maintenance database) and Redis: outside ones if the two variables are set, else embedded."""
    postgres = database_url(os.environ.get("ZHIJIA_DATABASE_URL", "")) or start_postgres(instance, durable=False)
    yield postgres, _own_redis(os.environ.get("ZHIJIA_REDIS_URL", "")) or start_redis(instance)
    stop_postgres(instance)
    stop_redis(instance)


def _own_redis(url: str) -> str:
    """The URL with a Redis database for this process alone, as tests empty theirs."""
    number = PROCESS.removeprefix("gw")
    return re.sub(r"(?<=db=)\d+$|(?<=[^/]/)\d+$", number, url)


def _settings(instance: Path, owner_url: str, redis_url: str) -> Settings:
    return Settings(
        instance=instance,
        database_url=make_url(owner_url).set(username=ROLE, password=ROLE).render_as_string(hide_password=False),
        owner_url=owner_url,
        redis_url=redis_url,
        secret_key=b"s" * 32,
        data_keys=DataKeys.of({1: b"k" * 32}),
        plugins=(),
        strict_plugins=True,
        secure_cookies=False,
        job_heartbeat=0.2,
    )


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _administer(postgres: str, *statements: str) -> None:
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def template_database(instance: Path, server_urls: tuple[str, str]) -> str:
    """A migrated database that each test copies."""
    postgres, redis_url = server_urls
    with psycopg.connect(_plain(postgres), autocommit=True) as connection:
        make_role(connection, ROLE, ROLE)
    _administer(postgres, f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)", f"CREATE DATABASE {TEMPLATE}")
    url = make_url(postgres).set(database=TEMPLATE).render_as_string(hide_password=False)
    app = create_app(_settings(instance, url, redis_url))
    with app.app_context():
        migrate_all()
        database.engine.dispose()
    return TEMPLATE


@pytest.fixture
def settings(
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    instance: Path,
    server_urls: tuple[str, str],
    template_database: str,
) -> Iterator[Settings]:
    """Settings that point to a fresh copy of the migrated database and to an empty Redis.

    A test marked ``as_owner`` does what only who owns the tables could, past all guards and walls.
    """
    postgres, redis_url = server_urls
    name = f"zhijia_test_{secrets.token_hex(4)}"
    _administer(postgres, f"CREATE DATABASE {name} TEMPLATE {template_database}")
    redis.Redis.from_url(redis_url).flushdb()
    url = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    made = _settings(instance, url, redis_url)
    if request.node.get_closest_marker("as_owner"):
        monkeypatch.setattr(wall, "_refuse_strong", lambda *_connection: None)
        made = replace(made, database_url=url)
    yield made
    _administer(postgres, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def plugins() -> dict[str, object] | None:
    """Override this to give ``app`` exactly these plugins, by name, installed or not; none means the built-in ones."""
    return None


@pytest.fixture(scope="session")
def compiled_templates(instance: Path) -> FileSystemBytecodeCache:
    """What the applications of a test run have compiled of their templates, so that it is done once."""
    folder = instance / "templates"
    folder.mkdir()
    return FileSystemBytecodeCache(str(folder))


@pytest.fixture(scope="session")
def compiled_routes() -> Iterator[None]:
    """What the applications of a test run have compiled of their routes, so that it is done once.

    Werkzeug makes two functions out of each rule, which takes longer than all else an application begins with. They
    hold nothing of the rule that they were made for, which is given to them.
    """
    compile_one, known = Rule._compile_builder, {}

    def compile_once(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        if rule.defaults:
            return compile_one(rule, append_unknown)
        key = (rule.rule, *rule._trace, append_unknown)
        if key not in known:
            known[key] = compile_one(rule, append_unknown)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Rule, "_compile_builder", compile_once)
        yield


@pytest.fixture
def app(
    settings: Settings,
    plugins: dict[str, object] | None,
    compiled_routes: None,
    compiled_templates: FileSystemBytecodeCache,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Flask]:
    """The application, inside an application context, with every built-in plugin loaded, or those of ``plugins``.

    The tables of the plugins stand.
    """
    application = create_app(settings, discover=plugins is None, plugins=plugins)
    application.config["TESTING"] = True
    # Services called by tests speak English, whether or not the Chinese catalogue has been compiled.
    application.config["BABEL_DEFAULT_LOCALE"] = "en"
    application.test_client_class = Browser
    application.jinja_env.bytecode_cache = compiled_templates
    # Hashing a password is slow on purpose; here it is the same, at its least.
    monkeypatch.setattr(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    with application.app_context():
        watch(application)
        reach_as(Reach(beyond="a test"))  # what a test does itself; each request, job and command has its own
        if plugins:
            migrate_all()
        yield application
        database.session.remove()
        database.engine.dispose()


@pytest.fixture
def db(app: Flask) -> SQLAlchemy:
    """The database of ``app``, with the tables of ``plugins``, which the copied database lacks, at their newest."""
    migrate_all()
    return database


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without JavaScript, not logged in."""
    return app.test_client()


@pytest.fixture
def run_jobs(app: Flask) -> Callable[[], int]:
    """Run every queued job in this process until none is left; returns how many were run.

    Commits what the test left open, as the jobs work on connections of their own.
    """

    def run_all() -> int:
        database.session.commit()
        ran = 0
        queued = select(Job.id).where(Job.state == "queued").order_by(Job.id).limit(1)
        while (job_id := database.session.scalars(queued).first()) is not None:
            database.session.commit()
            run(job_id)
            ran += 1
        database.session.expire_all()
        return ran

    return run_all


@pytest.fixture
def run_command(app: Flask) -> Callable[..., Result]:
    """``run_command("db", "check")`` runs a command of ``zhijia`` on ``app``; the result has exit code and output."""
    return lambda *arguments: app.test_cli_runner().invoke(zhijia, arguments)


@pytest.fixture
def worker_process(settings: Settings, tmp_path: Path) -> Iterator[Callable[..., psutil.Popen]]:
    """Start ``worker.py`` with the arguments given, on this test's database and Redis; stopped after the test.

    It logs to ``worker.log`` in the test's ``tmp_path``. ``environ`` adds variables, such as PYTHONPATH and
    ZHIJIA_PLUGINS for a plugin that only the test has.
    """
    started: list[psutil.Popen] = []

    def start(*arguments: str, environ: dict[str, str] | None = None) -> psutil.Popen:
        command = [sys.executable, str(ROOT / "worker.py"), *arguments]
        variables = os.environ | environ_of(settings) | (environ or {})
        with (tmp_path / "worker.log").open("a") as log:
            started.append(psutil.Popen(command, env=variables, cwd=settings.instance, stderr=log))
        return started[-1]

    yield start
    for process in started:
        end_tree(process)
