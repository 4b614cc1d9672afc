"""The processes of a demonstration: an instance folder of its own, the command line, web and worker, and their end."""

import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MARKER = ".zhijia-demo"
#: Where the two embedded servers write who they are, below the instance folder.
PID_FILES = (("postgres/postmaster.pid", signal.SIGINT), ("redis/redis.pid", signal.SIGTERM))
PATIENCE = 20.0


class DemoError(Exception):
    """The demonstration cannot go on; the text says why."""


class House:
    """One installation under ``folder``; :meth:`close` ends every process that it started."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        outside = {"ZHIJIA_DATABASE_URL", "ZHIJIA_REDIS_URL", "ZHIJIA_SECRET_KEY", "ZHIJIA_DATA_KEY", "ZHIJIA_PLUGINS"}
        kept = {name: value for name, value in os.environ.items() if name not in outside}
        # Whoever looks around should not need an app on a telephone.
        self.environ = kept | {"ZHIJIA_INSTANCE": str(folder), "ZHIJIA_SECOND_FACTOR": "0", "PYTHONUNBUFFERED": "1"}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._commands: set[subprocess.Popen[str]] = set()

    @property
    def address(self) -> str:
        """Where the web answers."""
        return f"http://127.0.0.1:{self.port}"

    def zhijia(self, *arguments: str) -> str:
        """Run a ``zhijia`` command and return what it printed. Raises :class:`DemoError` when it fails."""
        command = subprocess.Popen(
            [sys.executable, "-m", "core.cli", *arguments],
            cwd=ROOT,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._commands.add(command)
        printed, complained = command.communicate()
        self._commands.discard(command)
        if command.returncode:
            said = (complained.strip() or printed.strip())[-2000:]
            raise DemoError(f"zhijia {' '.join(arguments[:2])} ended with {command.returncode}: {said}")
        return printed

    def side_by_side(self, *tasks: Callable[[], None]) -> None:
        """Do several things at once; when one goes wrong, the commands of the others are ended as well."""
        with ThreadPoolExecutor(len(tasks)) as pool:
            try:
                for done in as_completed([pool.submit(task) for task in tasks]):
                    done.result()
            except BaseException:
                self._end_commands()
                raise

    def _end_commands(self) -> None:
        for command in list(self._commands):
            command.terminate()

    def start_web(self) -> None:
        """Start gunicorn; it is ready when :meth:`wait_for_web` returns."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", self.port))
            except OSError as error:
                raise DemoError(f"Port {self.port} is taken; choose another with --port.") from error
        options = ["--bind", f"127.0.0.1:{self.port}", "--workers", "2"]
        self._start("web", "-m", "gunicorn", "-c", "python:core.web.serving", "wsgi:app", *options)

    def start_worker(self) -> None:
        """Start the workers and their clock."""
        self._start("worker", str(ROOT / "worker.py"), "--processes", "2")

    def wait_for_web(self) -> None:
        """Wait until the web takes connections."""
        deadline = time.monotonic() + PATIENCE * 3
        while time.monotonic() < deadline:
            self.check()
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise DemoError(f"The web did not start; see {self.folder / 'web.log'}.")

    def check(self) -> None:
        """Raise :class:`DemoError` when a process has ended by itself."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                raise DemoError(f"The {name} ended with {process.returncode}; see {self.folder / f'{name}.log'}.")

    def close(self) -> None:
        """End web and worker, then the two servers; whoever does not listen is killed with its children."""
        self._end_commands()
        for process in self.processes.values():
            if process.poll() is None:
                process.terminate()
        for process in self.processes.values():
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self.processes.clear()
        end_servers(self.folder)

    def _start(self, name: str, *arguments: str) -> None:
        """Start a process in a group of its own: Ctrl-C reaches only us, and we end it in order."""
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        (self.folder / f"{name}.pid").write_text(str(self.processes[name].pid))


@contextmanager
def fresh_house(folder: Path, port: int) -> Iterator[House]:
    """A house in an empty folder, closed in the end whatever happens. A former demonstration's folder is wiped.

    Raises :class:`DemoError` when the folder is somebody else's, or when another demonstration is at work.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoError("Another demonstration is running here; stop it first (Ctrl-C).") from error
        wipe(folder)
        folder.mkdir()
        (folder / MARKER).touch()
        house = House(folder, port)
        try:
            yield house
        finally:
            house.close()


def wipe(folder: Path) -> None:
    """Remove the folder of a former demonstration, and end what it left running."""
    if not folder.exists():
        return
    if any(folder.iterdir()) and not (folder / MARKER).exists():
        raise DemoError(f"{folder} was not made by a demonstration; it is left alone.")
    for name in ("web", "worker"):
        pid = _left_over(folder, name)
        if pid is not None:
            os.killpg(pid, signal.SIGKILL)
    end_servers(folder)
    shutil.rmtree(folder)


def _left_over(folder: Path, name: str) -> int | None:
    """The web or worker of a demonstration that was killed, if it still runs for this folder."""
    try:
        pid = int((folder / f"{name}.pid").read_text())
        variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except (OSError, ValueError):
        return None
    return pid if f"ZHIJIA_INSTANCE={folder}".encode() in variables else None


def end_servers(folder: Path) -> None:
    """End the embedded servers of this folder, and wait until they are gone."""
    for name, how in PID_FILES:
        pid = _server(folder, name)
        if pid is None:
            continue
        os.kill(pid, how)
        deadline = time.monotonic() + PATIENCE
        while _server(folder, name) == pid and time.monotonic() < deadline:
            time.sleep(0.05)


def _server(folder: Path, name: str) -> int | None:
    """The process that a pid file names, if it is alive and works in this folder."""
    try:
        pid = int((folder / name).read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
        works_here = str(folder).encode() in command or Path(f"/proc/{pid}/cwd").resolve().is_relative_to(folder)
    except (OSError, ValueError, IndexError):
        return None
    return pid if works_here else None
