"""Mounts the pages of banks below those of runs."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Nothing yet."""
