"""Which language a page speaks: what the user chose, kept in the session so that asking costs no query."""

from pathlib import Path

from flask import Flask, current_app, has_request_context, session
from flask_babel import Babel

from core.plugin.registry import registry_of
from core.users.services import LANGUAGES

DEFAULT = "zh"
KEY = "language"


def chosen() -> str:
    """The language of this session; that of the installation outside a request (jobs, commands)."""
    if not has_request_context():
        return str(current_app.config["BABEL_DEFAULT_LOCALE"])
    language = session.get(KEY)
    return language if language in LANGUAGES else DEFAULT


def _folders(app: Flask) -> str:
    """The translations of every loaded plugin, then those of the core: what comes last is what a page says."""
    registry = registry_of(app)
    modules = (registry.manager.get_plugin(name) for name in registry.plugins)
    files = [file for module in modules if (file := getattr(module, "__file__", None))]
    folders = [*(Path(file).parent for file in files), Path(app.root_path, "web")]
    return ";".join(str(folder / "translations") for folder in folders)


def init_app(app: Flask) -> None:
    """Bind Flask-Babel; after the plugins are loaded, as their texts are read from their own folders."""
    # One for each application: a Babel keeps the catalogues of the first that it serves.
    Babel(app, locale_selector=chosen, default_translation_directories=_folders(app))
