"""One posting after another through the service, against the same statements in plain psycopg; and a clerk's wait.

Both write the same rows into the same tables under the same triggers, and commit each time. The figures are the 95th
percentiles of a thousand postings. ``ledger.wait`` is the longest that one posting of a clerk takes while a run of so
many is computed, approved and posted beside it.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import psycopg
from flask import Flask
from sqlalchemy import select
from sqlalchemy.engine import make_url

from bench.disburse import prepared, start_afresh, whole_run
from bench.harness import Bench, Work
from core.audit.services import SYSTEM
from core.extensions import db
from core.ledger.booking import post
from core.ledger.posting import Posting
from core.org.models import Org
from core.users.models import User
from core.wall import beyond_scope

COUNT = 1_000
DAY = date(2014, 1, 24)
#: The largest run that is computed beside the clerk.
BESIDE = 1_000_000
_BOOK = "SELECT state, currency, seq, digest FROM core_enter_book('statutory', %s)"
_KEY = "SELECT digest, sentence FROM core_enter_key('bench', %s)"
_ACCOUNTS = (
    "SELECT account.id, account.code, balance.posted_fen FROM core_account account"
    " JOIN core_account_balance balance ON balance.account_id = account.id"
    " WHERE account.org_id = %s AND account.book = 'statutory' AND account.code IN ('102', '50205')"
)
_ENTRY = (
    "INSERT INTO core_entry (book, seq, org_id, org_path, effective_on, posted_at, kind, title, description, scope,"
    " key, user_id, previous, digest)"
    " VALUES ('statutory', %s, %s, %s, %s, %s, 'bench', 'bench', '', 'bench', %s, %s, %s, %s) RETURNING id"
)
_LEGS = "INSERT INTO core_leg (entry_id, line, account_id, amount_fen) VALUES (%s, 1, %s, 100), (%s, 2, %s, -100)"


@dataclass(frozen=True)
class Place:
    """A union as values, which no commit lets expire."""

    id: int
    path: str


def posting_of(org: Place, key: str) -> Posting:
    """A posting of one yuan under this key."""
    return Posting(
        scope="bench", key=key, kind="bench", title="bench", description="", org_id=org.id, org_path=org.path,
        program_year_id=None, effective_on=DAY, legs=[("50205", 100), ("102", -100)],
    )  # fmt: skip


def p95(act: Callable[[], Any], count: int = COUNT) -> float:
    """The 95th percentile of so many calls, in seconds."""
    taken = []
    for _number in range(count):
        before = time.perf_counter()
        act()
        taken.append(time.perf_counter() - before)
    return sorted(taken)[int(0.95 * count)]


def _single(_app: Flask) -> Work:
    _year, people = prepared(10_000)
    user_id, place = people.finance.id, city()
    plain = make_url(db.engine.url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(plain)

    def through_the_service() -> None:
        post(SYSTEM, posting_of(place, secrets.token_hex(16)))

    def by_hand() -> None:
        key = secrets.token_hex(16)
        cursor = connection.cursor()
        cursor.execute(_KEY, [key]).fetchone()
        ((_state, _currency, seq, previous),) = cursor.execute(_BOOK, [DAY.replace(day=1)]).fetchall()
        accounts = {code: number for number, code, _fen in cursor.execute(_ACCOUNTS, [place.id]).fetchall()}
        digest = hashlib.sha256(previous + key.encode()).digest()
        row = [seq + 1, place.id, place.path, DAY, datetime.now(UTC), key, user_id, previous, digest]
        ((number,),) = cursor.execute(_ENTRY, row).fetchall()
        cursor.execute(_LEGS, [number, accounts["50205"], number, accounts["102"]])
        connection.commit()

    through_the_service()
    return Work(run=lambda: p95(through_the_service), floor=lambda: p95(by_hand))


def _wait(app: Flask) -> Work:
    year, people = prepared(BESIDE)

    def longest() -> float:
        done, waits = threading.Event(), [0.0]
        clerk = threading.Thread(target=_post_until, args=(app, people.finance.id, city(), done, waits))
        clerk.start()
        whole_run(app, year, people, BESIDE)
        done.set()
        clerk.join()
        return max(waits)

    return Work(run=longest, reset=start_afresh)


def _post_until(app: Flask, user_id: int, place: Place, done: threading.Event, waits: list[float]) -> None:
    """Post now and then, as a clerk does, and write down how long each posting took."""
    with app.app_context(), beyond_scope("a bench"):
        user = db.session.get_one(User, user_id)
        while not done.wait(0.02):
            before = time.perf_counter()
            post(user, posting_of(place, secrets.token_hex(16)))
            waits.append(time.perf_counter() - before)
        db.session.remove()


def city() -> Place:
    """The union whose books are posted to."""
    first = select(Org.id, Org.path).where(Org.level == "city").order_by(Org.code).limit(1)
    return Place(*db.session.execute(first).one())


BENCHES = [
    Bench("ledger.post.p95", n=COUNT, aim=2, prepare=_single),
    Bench("ledger.wait", n=BESIDE, aim=0.2, prepare=_wait, share="disburse"),
]
