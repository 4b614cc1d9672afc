"""Wall two: how far the database lets this request, job or command see, set anew in each transaction.

Wall one are the conditions that every query of ours has (core/org/scope.py). Should one be forgotten, by us or by a
plugin, the policies of the tables (core/plugin/walls.py) still hold back every row that is out of reach. They read the
reach from a setting of the transaction, which is signed with a key that the application's role cannot read: a statement
that got into a query cannot widen it. Where nothing was said, nothing is seen.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import psycopg
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import Flask, current_app, g, has_app_context
from psycopg.pq import TransactionStatus
from sqlalchemy import Column, Connection, Engine, LargeBinary, Table, event

from core.config import settings_of
from core.database import driver_errors, metadata
from core.errors import ConfigError
from core.extensions import db

#: The setting of the transaction that the policies read.
SETTING = "zhijia.reach"
#: Where the app keeps its key, among its extensions.
EXTENSION = "zhijia_wall"
#: Length of a block of SHA-256, which its keyed digest pads the key to.
BLOCK = 64
#: One row: the key as its digest takes it in. Only the owner of the tables reads it.
keys = Table(
    "core_wall",
    metadata,
    Column("inside", LargeBinary, nullable=False),
    Column("outside", LargeBinary, nullable=False),
)
_OPTION = "reach"
_MAY_PASS = b"""
SELECT rolsuper OR rolbypassrls OR EXISTS (
           SELECT FROM pg_class WHERE relname = 'core_org' AND relkind = 'r'
              AND relnamespace = current_schema()::regnamespace AND pg_has_role(current_user, relowner, 'MEMBER'))
  FROM pg_roles WHERE rolname = current_user
"""
_TELL = f"SELECT set_config('{SETTING}', %s, true)".encode()


@dataclass(frozen=True, slots=True)
class Reach:
    """How far somebody sees: rows of the subtrees in ``paths``, their own (``user_id``), and of some tables those of
    the unions ``above``. With ``beyond``, which says on whose behalf, everything.
    """

    paths: tuple[str, ...] = ()
    user_id: int | None = None
    above: tuple[str, ...] = ()
    beyond: str = ""

    def signed(self, key: bytes, backend: int) -> str:
        """What the policies believe, on this one connection (number of its process) and no other."""
        parts = (backend, self.beyond, self.user_id or "", ",".join(self.paths), ",".join(self.above))
        said = "|".join(map(str, parts))
        return f"{hmac.new(key, said.encode(), sha256).hexdigest()}|{said}"


NOTHING = Reach()


def wall_key(secret_key: bytes) -> bytes:
    """The key that reaches are signed with, of one block; the owner of the tables shows it to the policies alone."""
    return HKDF(algorithm=SHA256(), length=BLOCK, salt=None, info=b"zhijia wall 1").derive(secret_key)


def reach_now() -> Reach:
    """How far whatever runs now sees."""
    reach: Reach = g.get(_OPTION, NOTHING) if has_app_context() else NOTHING
    return reach


def reach_as(reach: Reach) -> None:
    """See this far from now on, until the request, job or command ends."""
    setattr(g, _OPTION, reach)
    session = db.session()
    if session.in_transaction() and session.is_active:
        _send(session.connection(), reach, current_app.extensions[EXTENSION])


@contextmanager
def beyond_scope(name: str) -> Iterator[None]:
    """See everything inside, and say on whose behalf: ``users.login``. For what can be decided rightly only with all
    rows before it; what is handed on to a reader is narrowed down by wall one. Inside another it changes nothing.
    """
    before = reach_now()
    if before.beyond:
        yield
        return
    reach_as(Reach(before.paths, before.user_id, before.above, beyond=name))
    try:
        yield
        if db.session.is_active:
            db.session.flush()  # what was added in here is written from here
    finally:
        reach_as(before)


def beyond(engine: Engine, name: str) -> Engine:
    """The same engine for work that sees everything, on connections of its own and in any thread."""
    return engine.execution_options(**{_OPTION: Reach(beyond=name)})


def init_app(app: Flask) -> None:
    """Begin each transaction of the app's engine with how far it sees; let no role through that sees everything."""
    with app.app_context():
        engine = db.engine
        key = app.extensions[EXTENSION] = wall_key(settings_of().secret_key)

    def begin(connection: Connection) -> None:
        reach = connection.get_execution_options().get(_OPTION) or reach_now()
        if reach != NOTHING:
            _send(connection, reach, key)

    event.listen(engine, "begin", begin)
    event.listen(engine, "connect", _refuse_strong)


def _refuse_strong(raw: psycopg.Connection[Any], _record: object) -> None:
    """Raise :class:`ConfigError` for a role that no policy holds, as every page would show everything."""
    found = raw.execute(_MAY_PASS).fetchone()
    raw.rollback()
    if found is not None and found[0]:
        raise ConfigError(
            f"The role {raw.info.user} owns the tables or passes by their policies; the application connects as"
            " another. Give the owner's address in ZHIJIA_OWNER_URL (see docs/operations.md, The two roles)."
        )


def _send(connection: Connection, reach: Reach, key: bytes) -> None:
    if connection.invalidated:
        return
    raw: psycopg.Connection[Any] | None = connection.connection.driver_connection
    # What failed can only be rolled back, and with it what was set here.
    if raw is None or raw.info.transaction_status == TransactionStatus.INERROR:
        return
    with driver_errors(connection, _TELL.decode()):
        raw.execute(_TELL, [reach.signed(key, raw.info.backend_pid)])
