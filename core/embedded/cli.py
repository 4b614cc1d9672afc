"""``zhijia services ...``: the two servers, embedded or outside. Works without the application."""

import sys

import click
import redis

from core.config import Settings, load_settings
from core.embedded.postgres import postgres_process, postgres_url, start_postgres, stop_postgres
from core.embedded.redis_server import redis_process, redis_url, start_redis, stop_redis
from core.embedded.versions import POSTGRES, REDIS, postgres_version, redis_version, refuse_old
from core.jobs.messages import clock_seen


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
    """Show both servers, their versions and whether a worker runs; exit 1 where a server does not answer or is old."""
    settings = load_settings()
    works = _show(settings)
    click.echo(_clock(settings.redis_url or redis_url(settings.instance)))
    if not settings.second_factor:
        click.echo("No second factor is asked for (ZHIJIA_SECOND_FACTOR=0): for demonstrations only")
    if not works:
        sys.exit(1)


def _show(settings: Settings) -> bool:
    """One line a server; whether both can be used."""
    database, messages = settings.database_url, settings.redis_url
    postgres = postgres_process(settings.instance) if not database else None
    redis_server = redis_process(settings.instance) if not messages else None
    rows = (
        ("PostgreSQL", database, postgres, postgres_version(database or postgres_url(settings.instance)), POSTGRES),
        ("Redis", messages, redis_server, redis_version(messages or redis_url(settings.instance)), REDIS),
    )
    for title, url, process, version, oldest in rows:
        place = "outside" if url else "embedded"
        number = f", process {process.pid}" if process else ""
        said = f"{title} {'.'.join(map(str, version))}" if version else f"{title} does not answer"
        click.echo(f"{said} ({place}{number})")
        refuse_old(title, version, oldest)
    return all(version for *_rest, version, _oldest in rows)


def _clock(url: str) -> str:
    """Whether a worker runs somewhere: its clock leaves a sign in Redis."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=2) as connection:
            return (
                "A worker's clock runs" if clock_seen(connection) else "No worker's clock was seen in the last minute"
            )
    except redis.RedisError:
        return "Whether a worker's clock runs cannot be asked"
