"""Sealing the audit trail, so that what was changed, removed or slipped in is found by who recomputes it.

A line a request must not make everybody wait for one head of a chain. So lines are written without one, and every
minute a job puts all that are committed and in no block yet into a block: which ids it holds, the digest over what
these lines say, and the digest of the block before. A transaction that commits later comes into a later block, wherever
its ids lie. See docs/adr/0026-the-audit-trail-is-sealed-in-blocks.md.
"""

from hashlib import sha256
from typing import NamedTuple

from sqlalchemy import text

from core.extensions import db
from core.wall import beyond_scope

#: What the first block has for the digest of the one before.
FIRST = sha256(b"zhijia audit").digest()
#: Lines in one block at most.
LARGEST = 100_000
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('core_audit_seal', 0))")
#: An instant as text, the same in every session.
_MOMENT = """to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
#: What a line says, and its digest.
LINE = f"""sha256(convert_to(jsonb_build_array(
    line.id, {_MOMENT.format("line.at")}, line.user_id, line.actor, line.action, line.object, line.org_path,
    line.reference, line.address, line.acting_path, line.program_year_id, line.data)::text, 'UTF8'))"""
#: The digest of a block, of ``no, lines, last_id, settled, system, next_xid, sealed_at, previous`` and the ``digests``
#: of its lines one after the other.
BLOCK = f"""sha256(previous || convert_to(jsonb_build_array(
    no, lines::text, last_id, settled, system, next_xid, {_MOMENT.format("sealed_at")})::text, 'UTF8')
    || sha256(digests))"""
#: Up to which id every line is in a block or never comes.
SETTLED = "coalesce((SELECT settled FROM core_audit_seal ORDER BY no DESC LIMIT 1), 0)"
_SEAL = text(f"""
WITH newest AS (
    SELECT no, last_id, settled, digest FROM core_audit_seal ORDER BY no DESC LIMIT 1
), ended AS ( -- the newest block whose transactions have all ended; another server's have, as it is here as a copy
    SELECT last_id FROM core_audit_seal
     WHERE system <> (SELECT system_identifier FROM pg_control_system())
        OR next_xid <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
     ORDER BY no DESC LIMIT 1
), found AS (
    SELECT line.id, {LINE} AS digest
      FROM core_audit line
     WHERE line.id > {SETTLED}
       AND NOT EXISTS (SELECT FROM core_audit_seal seal WHERE seal.last_id > {SETTLED} AND seal.lines @> line.id)
     ORDER BY line.id LIMIT :most
), block AS (
    SELECT coalesce((SELECT no FROM newest), 0) + 1 AS no,
           range_agg(int8range(id, id, '[]')) AS lines,
           greatest(max(id), (SELECT last_id FROM newest)) AS last_id,
           greatest({SETTLED}, least(coalesce((SELECT last_id FROM ended), 0),
                                     CASE count(*) WHEN :most THEN max(id) END)) AS settled,
           count(*) AS count,
           string_agg(substr(digest, 1, 8), '' ORDER BY id) AS prints,
           (SELECT system_identifier FROM pg_control_system()) AS system,
           pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS next_xid,
           statement_timestamp() AS sealed_at,
           coalesce((SELECT digest FROM newest), :first) AS previous,
           string_agg(digest, '' ORDER BY id) AS digests
      FROM found HAVING count(*) > 0
)
INSERT INTO core_audit_seal (no, lines, last_id, settled, count, prints, system, next_xid, sealed_at, previous, digest)
SELECT no, lines, last_id, settled, count, prints, system, next_xid, sealed_at, previous, {BLOCK} FROM block
RETURNING count
""")  # noqa: S608 - made of constants
_HEAD = text("SELECT no, encode(digest, 'hex') AS digest FROM core_audit_seal ORDER BY no DESC LIMIT 1")


class Head(NamedTuple):
    """The newest block: its number and its digest (hexadecimal)."""

    no: int
    digest: str


@beyond_scope("audit.seal")
def seal(largest: int = LARGEST) -> int:
    """Seal every line that is committed and not sealed; returns how many. Ends the transaction."""
    sealed = 0
    while True:
        db.session.execute(_LOCK)
        count = db.session.scalar(_SEAL, {"most": largest, "first": FIRST}) or 0
        db.session.commit()
        sealed += count
        if count < largest:
            return sealed


def head() -> Head:
    """The newest block; number 0 where nothing was sealed yet."""
    row = db.session.execute(_HEAD).one_or_none()
    return Head(*row) if row is not None else Head(0, FIRST.hex())
