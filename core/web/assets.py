"""Addresses of static files that change with their content, so that browsers may keep them for good."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, current_app, url_for


@lru_cache(maxsize=256)
def _digest(path: Path, _modified_ns: int) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def asset(filename: str) -> str:
    """The address of a file under ``static``; without a version while the file is missing."""
    path = Path(current_app.static_folder or "", filename)
    try:
        version = _digest(path, path.stat().st_mtime_ns)
    except OSError:
        return url_for("static", filename=filename)
    return url_for("static", filename=filename, v=version)


def init_app(app: Flask) -> None:
    """Make ``asset()`` known to the templates."""
    app.jinja_env.globals["asset"] = asset
