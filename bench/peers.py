"""What others need for the same: transfers one after another, each in a transaction of its own, on the same server.

``peers.sqlalchemy`` is its unit of work (entry and two legs as objects, nothing checked), ``peers.hordak`` is
django-hordak (with the extra ``bench``). The value is theirs, the floor is ours: a ratio above one says that they take
longer. We keep a key, a chain, a period, balances, floors and an audit line beside it.
"""

import secrets
import time
from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from flask import Flask
from sqlalchemy import ForeignKey, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from bench.disburse import prepared
from bench.harness import Bench, Work
from bench.posting import city, posting_of
from core.audit.services import SYSTEM
from core.extensions import db
from core.ledger.booking import post

COUNT = 1_000


class Base(DeclarativeBase):
    """Tables of their own."""


class Account(Base):
    """An account."""

    __tablename__ = "peer_account"
    id: Mapped[int] = mapped_column(primary_key=True)


class Entry(Base):
    """An entry with its legs."""

    __tablename__ = "peer_entry"
    id: Mapped[int] = mapped_column(primary_key=True)
    description: Mapped[str]
    legs: Mapped[list["Leg"]] = relationship()


class Leg(Base):
    """One side of it, in fen."""

    __tablename__ = "peer_leg"
    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey(Entry.id), index=True)
    account_id: Mapped[int] = mapped_column(ForeignKey(Account.id), index=True)
    amount_fen: Mapped[int]


def _beside_ours(theirs: Callable[[], None]) -> Work:
    prepared(10_000)
    place = city()

    def ours() -> None:
        post(SYSTEM, posting_of(place, secrets.token_hex(16)))

    ours()
    theirs()
    return Work(run=lambda: _seconds(theirs), floor=lambda: _seconds(ours))


def _seconds(act: Callable[[], None]) -> float:
    before = time.perf_counter()
    for _number in range(COUNT):
        act()
    return time.perf_counter() - before


def _sqlalchemy(_app: Flask) -> Work:
    Base.metadata.create_all(db.engine)
    with Session(db.engine) as session:
        session.add_all([Account(id=1), Account(id=2)])
        session.commit()

    def transfer() -> None:
        with Session(db.engine) as session:
            legs = [Leg(account_id=1, amount_fen=100), Leg(account_id=2, amount_fen=-100)]
            session.add(Entry(description="bench", legs=legs))
            session.commit()

    return _beside_ours(transfer)


def _hordak(_app: Flask) -> Work:
    """Its tables and triggers stand in a schema of their own in our database."""
    url = make_url(db.engine.url)
    with db.engine.begin() as connection:
        connection.execute(text("CREATE SCHEMA hordak"))
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.database,
        "USER": url.username,
        "PASSWORD": url.password or "",
        "HOST": url.query.get("host", url.host),
        "PORT": url.port or "",
        "OPTIONS": {"options": "-c search_path=hordak"},
    }
    import_module("django.conf").settings.configure(
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "mptt", "hordak"],
        DATABASES={"default": database},
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        HORDAK_DEFAULT_CURRENCY="CNY",
        HORDAK_CURRENCIES=["CNY"],
        USE_TZ=True,
    )
    import_module("django").setup()
    import_module("django.core.management").call_command("migrate", verbosity=0)
    models, transaction = import_module("hordak.models"), import_module("django.db.transaction")
    yuan = import_module("moneyed").Money(1, "CNY")
    bank, spending = (
        models.Account.objects.create(name=kind, code=code, type=kind, currencies=["CNY"])
        for code, kind in (("1", "AS"), ("2", "EX"))
    )

    def transfer() -> None:
        with transaction.atomic():
            entry: Any = models.Transaction.objects.create(description="bench")
            models.Leg.objects.create(transaction=entry, account=spending, debit=yuan)
            models.Leg.objects.create(transaction=entry, account=bank, credit=yuan)

    return _beside_ours(transfer)


BENCHES = [Bench("peers.sqlalchemy", n=COUNT, aim=None, prepare=_sqlalchemy)]
if find_spec("hordak"):
    BENCHES.append(Bench("peers.hordak", n=COUNT, aim=None, prepare=_hordak))
