"""Zhijia: the intranet of a provincial trade-union federation."""

from flask import Flask

from core import config
from core import models as models
from core.config import Settings, load_settings
from core.embedded import start_postgres, start_redis
from core.extensions import babel, csrf, db, login_manager
from core.plugin.registry import EXTENSION, Registry, load


def create_app(settings: Settings | None = None, *, discover: bool = True) -> Flask:
    """Make the web application, which the commands and the workers use as well. Asks the database nothing.

    ``discover=False`` leaves the plugins out (tests register their own). Raises :class:`core.errors.ConfigError`.
    """
    settings = settings or load_settings()
    app = Flask("core", static_folder="web/static", template_folder="web/templates")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database_url or start_postgres(settings.instance),
        SQLALCHEMY_ENGINE_OPTIONS={"pool_pre_ping": True},
        ZHIJIA_REDIS_URL=settings.redis_url or start_redis(settings.instance),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.secure_cookies,
        BABEL_DEFAULT_LOCALE="zh",
        BABEL_DEFAULT_TIMEZONE="Asia/Shanghai",
    )
    app.extensions[config.EXTENSION] = settings
    db.init_app(app)
    csrf.init_app(app)
    login_manager.init_app(app)
    babel.init_app(app)
    registry = app.extensions[EXTENSION] = Registry()
    if discover:
        load(registry, allowed=settings.plugins, strict=settings.strict_plugins)
    return app
