"""What goes wrong with machines: killed processes, a crashing database, an emptied queue, connections that break."""

import os
import random
import signal
import subprocess
import sys
from contextlib import suppress

import psutil
import psycopg
import redis
from psycopg import sql
from sqlalchemy.engine import make_url

from core.config import ROOT, Settings
from tests.jobs.conftest import wait_until


def kill(parent: psutil.Popen) -> None:
    """Kill -9 a process and everything it started."""
    family: list[psutil.Process] = [parent]
    with suppress(psutil.NoSuchProcess):  # it has ended by itself
        family = [*parent.children(recursive=True), parent]
    for process in family:
        with suppress(psutil.NoSuchProcess):  # the child that did one job may have ended meanwhile
            process.kill()
    psutil.wait_procs(family, timeout=5)


def empty_redis(settings: Settings) -> None:
    """Take every message out of the queue."""
    redis.Redis.from_url(settings.redis_url or "").flushdb()


def cut_connections(settings: Settings, chance: random.Random) -> None:
    """Close about half of the connections to the database, and all to Redis, from the other side."""
    broker = redis.Redis.from_url(settings.redis_url or "")
    broker.client_kill_filter(_type="normal", skipme=True)
    with psycopg.connect(_plain(settings, "postgres"), autocommit=True) as connection:
        mine = "SELECT pid FROM pg_stat_activity WHERE datname = %s ORDER BY pid"
        pids = [pid for (pid,) in connection.execute(mine, [make_url(settings.owner_url or "").database])]
        for pid in pids:
            if chance.random() < 0.5:
                connection.execute(sql.SQL("SELECT pg_terminate_backend({})").format(pid))


def restart_postgres(settings: Settings) -> None:
    """Crash and restart the embedded server, or end every connection of an outside one."""
    if os.environ.get("ZHIJIA_DATABASE_URL"):
        ending = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = %s"
        with psycopg.connect(_plain(settings, "postgres")) as connection:
            connection.execute(ending, [make_url(settings.owner_url or "").database])
        return
    pid_file = settings.instance / "postgres" / "postmaster.pid"
    server = psutil.Process(int(pid_file.read_text().split()[0]))
    server.send_signal(signal.SIGQUIT)
    wait_until(lambda: not server.is_running())
    # In a process of its own, as this one believes that the server it started still runs.
    again = "import pathlib, sys, core.embedded; core.embedded.start_postgres(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", again, str(settings.instance)], cwd=ROOT, check=True)


def _plain(settings: Settings, database: str) -> str:
    url = make_url(settings.owner_url or "").set(drivername="postgresql", database=database)
    return url.render_as_string(hide_password=False)
