"""Which servers answer, and whether they are new enough: PostgreSQL 15, Redis 6.2 or Valkey."""

import psycopg
import redis
from sqlalchemy.engine import make_url

from core.errors import ConfigError

POSTGRES = (15, 0)
REDIS = (6, 2)
PATIENCE = 3  # seconds


def postgres_version(url: str) -> tuple[int, int] | None:
    """Its version, such as ``(15, 13)``; nothing where it does not answer."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        with psycopg.connect(plain, connect_timeout=PATIENCE) as connection:
            number = connection.info.server_version
    except psycopg.OperationalError:
        return None
    return number // 10000, number % 10000


def redis_version(url: str) -> tuple[int, int] | None:
    """Its version, such as ``(7, 0)``; nothing where it does not answer. Valkey says which Redis it stands in for."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=PATIENCE) as client:
            major, minor = str(client.info("server")["redis_version"]).split(".")[:2]
    except redis.RedisError:
        return None
    return int(major), int(minor)


def refuse_old(title: str, version: tuple[int, int] | None, oldest: tuple[int, int]) -> None:
    """Raise :class:`ConfigError` for a server that is too old; one that does not answer may come yet."""
    if version is not None and version < oldest:
        here, least = (".".join(map(str, number)) for number in (version, oldest))
        raise ConfigError(f"{title} {here} is too old: Zhijia needs {title} {least} or newer.")


def check_servers(database_url: str, redis_url: str) -> None:
    """Refuse to work on servers that are too old. Raises :class:`ConfigError`."""
    refuse_old("PostgreSQL", postgres_version(database_url), POSTGRES)
    refuse_old("Redis", redis_version(redis_url), REDIS)
