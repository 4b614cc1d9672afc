"""A folder for what is being written, emptied when that is done.

What a killed process left there may hold personal data: the next one on that machine removes it a day later.
"""

import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import current_app, has_app_context

from core.config import EXTENSION, settings_of

#: Seconds after which nobody writes there any more: far longer than a job may take.
PATIENCE = 24 * 3600


@contextmanager
def scratch() -> Iterator[Path]:
    """A new folder that only this process can read; gone afterwards."""
    home = _home()
    home.mkdir(mode=0o700, exist_ok=True)
    _clear(home)
    with tempfile.TemporaryDirectory(dir=home, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _home() -> Path:
    """Below the instance; where a plugin's own test has none, in the system's folder."""
    is_installed = has_app_context() and EXTENSION in current_app.extensions
    return settings_of().instance / "scratch" if is_installed else Path(tempfile.gettempdir()) / "zhijia-scratch"


def _clear(home: Path) -> None:
    oldest = time.time() - PATIENCE
    for folder in home.iterdir():
        try:
            left = folder.stat().st_mtime < oldest
        except FileNotFoundError:  # another process has just removed it
            continue
        if left:
            shutil.rmtree(folder, ignore_errors=True)
