"""Addresses of static files that change with their content, so that browsers may keep them for good."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, current_app


@lru_cache(maxsize=256)
def _digest(path: Path, _modified_ns: int) -> str:
    return sha256(path.read_bytes()).hexdigest()[:12]


def asset(filename: str) -> str:
    """The address of a file under ``static``; without a version while the file is missing."""
    path = Path(current_app.static_folder or "", filename)
    address = f"{current_app.static_url_path}/{filename}"  # also where no address can be built, for a strange host
    try:
        version = _digest(path, path.stat().st_mtime_ns)
    except OSError:
        return address
    return f"{address}?v={version}"


def init_app(app: Flask) -> None:
    """Make ``asset()`` known to the templates."""
    app.jinja_env.globals["asset"] = asset
