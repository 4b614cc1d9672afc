"""What a key comes to is decided once: an answer, or a refusal that is told again even if it would work by now.

A caller that lost the answer asks again under the same key and hears the same. Whoever asks for something else under it
is refused. ``core_enter_key`` lets one caller at a time decide.
"""

import random
import time
from collections.abc import Callable
from typing import TypeVar

from flask_babel import gettext as _
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DBAPIError

from core.errors import Refused
from core.extensions import db, whole
from core.ledger.models import Refusal

T = TypeVar("T")
#: Deadlock, serialization failure, a lock that could not be had: the same transaction may pass the next time.
PASSING = {"40P01", "40001", "55P03"}
TRIES = 5
#: Seconds before the second try; each pause may be twice as long as the one before, and is chance within it.
PAUSE = 0.02


def retried(work: Callable[[], T]) -> T:
    """Do ``work``, a whole transaction, again when another one was in its way, up to :data:`TRIES` times.

    If the caller has written in this transaction already, that would be lost by trying again: then there is one try.
    """
    tries = TRIES if _is_fresh() else 1
    for number in range(1, tries + 1):
        try:
            with whole():
                return work()
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) not in PASSING or number == tries:
                raise
        time.sleep(random.uniform(0, PAUSE * 2**number))  # noqa: S311 - no secret
    raise AssertionError("the last try returns or raises")


def _is_fresh() -> bool:
    session = db.session
    if session.new or session.dirty or session.deleted:
        return False
    return not session().in_transaction() or session.scalar(text("SELECT pg_current_xact_id_if_assigned()")) is None


def decided(
    scope: str, key: str, digest: bytes, act: Callable[[bool], tuple[T, bool]], find: Callable[[], T | None]
) -> tuple[T, bool]:
    """Let ``act`` decide what the key comes to and commit it; if it is refused, keep that under the key instead.

    ``act`` is told whether an entry was posted under the key, and returns its result and whether it had been there
    before; ``find`` looks for the result of an earlier call. Raises :class:`Refused`, now and whenever the same is
    asked again.
    """

    def decide() -> tuple[T, bool] | Refused:
        is_posted = _enter(scope, key, digest)
        try:
            result = act(is_posted)
        except Refused as refusal:
            return refusal
        db.session.commit()
        return result

    result = retried(decide)
    if not isinstance(result, Refused):
        return result
    db.session.rollback()
    known = retried(lambda: _keep(scope, key, digest, result, find))
    if known is None:
        raise result
    return known, True


def key_used(scope: str, key: str) -> Refused:
    """The refusal of a key that stands for something else."""
    return Refused(_("The key %(key)s has been used for another entry.", key=f"{scope}/{key}"))


def _enter(scope: str, key: str, digest: bytes) -> bool:
    """Be the only one at this key until the transaction ends; whether an entry was posted under it."""
    said = db.session.connection().exec_driver_sql(_ENTER_KEY, {"scope": scope, "key": key}).one()
    if said.sentence is not None:
        raise Refused(said.sentence) if said.digest == digest else key_used(scope, key)
    return bool(said.is_posted)


_ENTER_KEY = "SELECT digest, sentence, is_posted FROM core_enter_key(%(scope)s, %(key)s)"


def _keep(scope: str, key: str, digest: bytes, refusal: Refused, find: Callable[[], T | None]) -> T | None:
    """Store the refusal, unless another caller has come to a result meanwhile."""
    _enter(scope, key, digest)
    known = find()
    if known is None:
        row = {"scope": scope, "key": key, "digest": digest, "sentence": str(refusal)}
        db.session.execute(upsert(Refusal).values(row))
    db.session.commit()
    return known
