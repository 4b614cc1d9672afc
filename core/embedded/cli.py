"""``zhijia services ...``: the two servers, embedded or outside. Works without the application."""

import sys

import click

from core.config import Settings, load_settings
from core.embedded.postgres import postgres_process, postgres_url, start_postgres, stop_postgres
from core.embedded.redis_server import redis_process, redis_url, start_redis, stop_redis
from core.embedded.versions import POSTGRES, REDIS, postgres_version, redis_version, refuse_old


@click.group()
def services() -> None:
    """PostgreSQL and Redis: which ones, and whether they run."""


@services.command("start")
def start() -> None:
    """Start the embedded servers; those set by a variable are left alone."""
    settings = load_settings()
    if not settings.database_url:
        start_postgres(settings.instance)
    if not settings.redis_url:
        start_redis(settings.instance)
    _show(settings)


@services.command("stop")
def stop() -> None:
    """End the embedded servers; what is committed stays."""
    settings = load_settings()
    for title, ended in (("PostgreSQL", stop_postgres(settings.instance)), ("Redis", stop_redis(settings.instance))):
        click.echo(f"{title} {'stopped' if ended else 'did not run'}")


@services.command("status")
def status() -> None:
    """Show both servers and their versions; exit 1 where one does not answer or is too old."""
    if not _show(load_settings()):
        sys.exit(1)


def _show(settings: Settings) -> bool:
    """One line a server; whether both can be used."""
    database, messages = settings.database_url, settings.redis_url
    postgres = postgres_process(settings.instance) if not database else None
    redis = redis_process(settings.instance) if not messages else None
    rows = (
        ("PostgreSQL", database, postgres, postgres_version(database or postgres_url(settings.instance)), POSTGRES),
        ("Redis", messages, redis, redis_version(messages or redis_url(settings.instance)), REDIS),
    )
    for title, url, process, version, oldest in rows:
        place = "outside" if url else "embedded"
        number = f", process {process.pid}" if process else ""
        said = f"{title} {'.'.join(map(str, version))}" if version else f"{title} does not answer"
        click.echo(f"{said} ({place}{number})")
        refuse_old(title, version, oldest)
    return all(version for *_rest, version, _oldest in rows)
