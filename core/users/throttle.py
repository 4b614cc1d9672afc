"""How often somebody may guess: by account and by address, counted in Redis for all processes together.

Redis holds keyed digests only, nothing that names anybody. While it is away each process counts for itself, so that
neither everybody is locked out nor the door stands open.
"""

import hmac
import math
import time
from collections.abc import Callable
from hashlib import sha256
from typing import TypeVar

import structlog
from flask import Flask, current_app
from flask_babel import gettext as _
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter
from redis import BlockingConnectionPool, RedisError

from core.config import settings_of
from core.errors import Refused

#: Failures within so many minutes that stop further tries. A whole office often shares one address.
MINUTES, PER_ACCOUNT, PER_ADDRESS = 15, 5, 20
ACCOUNT = RateLimitItemPerMinute(PER_ACCOUNT, MINUTES, namespace="zhijia-account")
ADDRESS = RateLimitItemPerMinute(PER_ADDRESS, MINUTES, namespace="zhijia-address")
#: Seconds that a page waits for Redis before the process counts for itself.
PATIENCE = 1.0
EXTENSION = "zhijia_throttle"

log = structlog.get_logger()
T = TypeVar("T")


class TooManyFailures(Refused):
    """Too many failures of this account or from this address; the sentence says how long to wait."""

    status = 429


class Throttle:
    """The counts of one application, in Redis and beside it."""

    def __init__(self, redis_url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            redis_url, max_connections=8, timeout=PATIENCE, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE
        )
        self._shared = MovingWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))
        self._own = MovingWindowRateLimiter(MemoryStorage())

    def ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        """The answer of the shared counts, or of this process's own while Redis is away."""
        try:
            return question(self._shared)
        except RedisError as error:
            log.warning("throttle.redis_away", error=type(error).__name__)
            return question(self._own)


def begin_try(what: str, account: str, address: str) -> None:
    """Take one of the tries that an account has; tries at the same moment do not slip past the count.

    ``what`` is guessed at (``password``, ``code``). Raises :class:`TooManyFailures` when none is left for the account
    or for the address. Whoever succeeds calls :func:`forgive`, else :func:`note_failure`.
    """
    throttle, place, who = _throttle(), _key("address", address), _key(what, account)
    if not throttle.ask(lambda counts: counts.test(ADDRESS, place)):
        raise _too_many(throttle, ADDRESS, place)
    if not throttle.ask(lambda counts: counts.hit(ACCOUNT, who)):
        raise _too_many(throttle, ACCOUNT, who)


def forgive(what: str, account: str) -> None:
    """Forget the failures of an account, which has proved itself."""
    who = _key(what, account)
    _throttle().ask(lambda counts: counts.clear(ACCOUNT, who))


def note_failure(address: str) -> None:
    """Count a failure for the address; for the account it was counted as it began."""
    place = _key("address", address)
    _throttle().ask(lambda counts: counts.hit(ADDRESS, place))


def tries_left(what: str, account: str) -> int:
    """How many tries the account still has."""
    who = _key(what, account)
    return _throttle().ask(lambda counts: counts.get_window_stats(ACCOUNT, who).remaining)


def _too_many(throttle: Throttle, limit: RateLimitItem, key: str) -> TooManyFailures:
    free_at = throttle.ask(lambda counts: counts.get_window_stats(limit, key).reset_time)
    minutes = min(MINUTES, max(1, math.ceil((free_at - time.time()) / 60)))
    return TooManyFailures(_("Too many failed tries. Try again in %(minutes)s min.", minutes=minutes))


def _key(kind: str, value: str) -> str:
    return hmac.new(settings_of().secret_key, f"throttle:{kind}:{value}".encode(), sha256).hexdigest()


def _throttle() -> Throttle:
    throttle: Throttle = current_app.extensions[EXTENSION]
    return throttle


def init_app(app: Flask) -> None:
    """Count on the Redis of the application, which is asked at the first try only."""
    app.extensions[EXTENSION] = Throttle(app.config["ZHIJIA_REDIS_URL"])
