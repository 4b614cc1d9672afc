"""The audit trail: what a line costs whoever writes it, and what sealing and verifying cost beside everybody's work.

``audit.record`` is a line with its transaction against the same row in a table that is nothing but a table, written by
plain psycopg; ``audit.seal`` and ``audit.verify`` are against one digest of every line, which is the least of it.
"""

import psycopg
from flask import Flask
from psycopg.types.json import Jsonb
from sqlalchemy import text
from sqlalchemy.engine import make_url

from bench.harness import Bench, Work, empty
from core.audit.sealing import LINE, seal
from core.audit.services import SYSTEM, record
from core.audit.verify import verify_audit
from core.extensions import db

SINGLE = 1_000
LINES = 1_000_000
_FILL = text(
    "INSERT INTO core_audit (actor, action, object, org_path, reference, address, acting_path, data)"
    " SELECT '王莉', 'register.change', 'hardship:' || n, '/61/6101/610102/', md5(n::text), '10.0.0.1', '/61/6101/',"
    " jsonb_build_object('fields', jsonb_build_array('grade', 'reason')) FROM generate_series(1, :count) n"
)
_PLAIN = text(
    "CREATE TABLE IF NOT EXISTS bench_audit (id bigserial PRIMARY KEY, at timestamptz NOT NULL DEFAULT now(),"
    " user_id bigint, actor text, action text, object text, org_path text, data jsonb)"
)
_ROW = "INSERT INTO bench_audit (actor, action, object, org_path, data) VALUES (%s, %s, %s, %s, %s)"
_DIGESTS = text(f"SELECT count({LINE}) FROM core_audit line")  # noqa: S608 - made of constants


def _record(_app: Flask) -> Work:
    db.session.execute(_PLAIN)
    db.session.commit()
    plain = make_url(db.engine.url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = psycopg.connect(plain)

    def through_the_service() -> None:
        for number in range(SINGLE):
            record(SYSTEM, "register.change", f"hardship:{number}", "/61/6101/", fields=["grade"])
            db.session.commit()

    def by_hand() -> None:
        for number in range(SINGLE):
            row = ["system", "register.change", f"hardship:{number}", "/61/6101/", Jsonb({"fields": ["grade"]})]
            connection.execute(_ROW, row)
            connection.commit()

    return Work(run=through_the_service, floor=by_hand)


def _fill() -> None:
    db.session.execute(_FILL, {"count": LINES})
    db.session.commit()


def _digests() -> None:
    db.session.execute(_DIGESTS).scalar_one()
    db.session.rollback()


def _seal(_app: Flask) -> Work:
    _fill()
    seal()
    return Work(run=seal, floor=_digests, reset=lambda: empty("core_audit_seal"))


def _verify(_app: Flask) -> Work:
    def verify() -> None:
        said = list(verify_audit())
        db.session.rollback()
        if said:
            raise AssertionError(said[0])

    seal()
    return Work(run=verify, floor=_digests)


BENCHES = [
    Bench("audit.record", n=SINGLE, aim=2, prepare=_record),
    Bench("audit.seal", n=LINES, aim=3, prepare=_seal, share="audit"),
    Bench("audit.verify", n=LINES, aim=3, prepare=_verify, share="audit"),
]
