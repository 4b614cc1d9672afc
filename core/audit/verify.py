"""Recomputing the seals of the audit trail: what was changed, removed, slipped in or never sealed, a sentence each."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import text

from core.audit.sealing import BLOCK, FIRST, LINE, SETTLED
from core.extensions import db
from core.web.filters import local_time

#: How long a line may wait for its seal; the job comes every minute.
PATIENCE = timedelta(minutes=15)
#: No transaction takes longer. A line that says it is so much older than the block before its own is not of that time.
LONGEST = timedelta(hours=6)
#: Clocks are read a little before a transaction is seen.
SLACK = timedelta(minutes=1)
#: Findings of one kind that are named one by one.
MOST = 100
#: Each block, and whether what its lines come to now is what it says.
_BLOCKS = text(f"""
SELECT seal.no, seal.no IS DISTINCT FROM coalesce(seal.before_no, 0) + 1 AS is_gap,
       seal.previous IS DISTINCT FROM coalesce(seal.before_digest, :first) AS is_torn,
       seal.digest IS DISTINCT FROM {BLOCK} AS is_changed,
       coalesce(earliest < seal.before_sealed_at - CAST(:longest AS interval)
                OR latest > seal.sealed_at + CAST(:slack AS interval), false) AS is_mistimed
  FROM (SELECT *, lag(no) OVER by_no AS before_no, lag(digest) OVER by_no AS before_digest,
               lag(sealed_at) OVER by_no AS before_sealed_at
          FROM core_audit_seal WINDOW by_no AS (ORDER BY no)) seal
 CROSS JOIN LATERAL (
    SELECT coalesce(string_agg({LINE}, '' ORDER BY line.id), '') AS digests,
           min(line.at) AS earliest, max(line.at) AS latest
      FROM core_audit line
     WHERE line.id BETWEEN lower(seal.lines) AND upper(seal.lines) - 1 AND seal.lines @> line.id) found
 ORDER BY seal.no
""")  # noqa: S608 - made of constants
#: The lines of one block that are not as they were sealed, or (``at`` is none) not there.
_LINES = text(f"""
WITH wanted AS (
    SELECT id, substr(prints, ((row_number() OVER (ORDER BY id) - 1) * 8 + 1)::int, 8) AS print
      FROM core_audit_seal seal, unnest(seal.lines) part, generate_series(lower(part), upper(part) - 1) id
     WHERE seal.no = :no
)
SELECT wanted.id, line.at FROM wanted LEFT JOIN core_audit line ON line.id = wanted.id
 WHERE line.id IS NULL OR substr({LINE}, 1, 8) <> wanted.print
 ORDER BY wanted.id LIMIT :most
""")  # noqa: S608 - made of constants
_MISTIMED = text("""
SELECT line.id, line.at
  FROM core_audit_seal seal
  LEFT JOIN core_audit_seal before ON before.no = seal.no - 1
  JOIN core_audit line ON line.id BETWEEN lower(seal.lines) AND upper(seal.lines) - 1 AND seal.lines @> line.id
 WHERE seal.no = :no AND (line.at < before.sealed_at - CAST(:longest AS interval)
                          OR line.at > seal.sealed_at + CAST(:slack AS interval))
 ORDER BY line.id LIMIT :most
""")
#: Lines that no block has: among ids of which all are decided, or for longer than it may take.
_UNSEALED = """
FROM core_audit line
WHERE NOT (SELECT coalesce(range_agg(lines), '{}') FROM core_audit_seal) @> line.id
"""
_SLIPPED_IN = text(f"""
SELECT line.id, line.at {_UNSEALED} AND line.id <= {SETTLED} ORDER BY line.id LIMIT :most
""")
_WAITING = text(f"""
SELECT count(*), min(line.at) {_UNSEALED}
   AND line.id > {SETTLED} AND line.at < now() - CAST(:patience AS interval)
""")


def verify_audit() -> Iterator[str]:
    """Each finding as a sentence, in the caller's transaction, which sees everything."""
    times = {"longest": LONGEST, "slack": SLACK}
    for block in db.session.execute(_BLOCKS, {"first": FIRST, **times}).all():
        if block.is_gap:
            yield _("A block of the audit trail before block %(no)s is missing.", no=block.no)
        elif block.is_torn:
            yield _("Block %(no)s of the audit trail does not follow the one before it.", no=block.no)
        if block.is_changed:
            yield from _changed(block.no)
        if block.is_mistimed:
            yield from _named(_MISTIMED, _wrong_time, {"no": block.no, **times})
    yield from _named(_SLIPPED_IN, _slipped_in, {})
    count, since = db.session.execute(_WAITING, {"patience": PATIENCE}).one()
    if count:
        yield _("%(count)s lines of the audit trail, the first of %(at)s, were never sealed.",
                count=count, at=local_time(since))  # fmt: skip


def _changed(no: int) -> Iterator[str]:
    """The lines that are not as they were sealed; where all are, the block itself is not."""
    is_named = False
    for sentence in _named(_LINES, _not_as_sealed, {"no": no}):
        is_named = True
        yield sentence
    if not is_named:
        yield _("Block %(no)s of the audit trail is not as it was sealed.", no=no)


def _named(query: Any, sentence: Any, names: Mapping[str, Any]) -> Iterator[str]:
    for row in db.session.execute(query, {**names, "most": MOST}):
        yield sentence(row.id, row.at)


def _not_as_sealed(number: int, at: Any) -> str:
    said: str = (
        _("Line %(id)s of the audit trail was removed.", id=number)
        if at is None
        else _("Line %(id)s of the audit trail is not as it was written.", id=number)
    )
    return said


def _wrong_time(number: int, at: Any) -> str:
    said: str = _("Line %(id)s of the audit trail was not written at %(at)s, as it says.", id=number, at=local_time(at))
    return said


def _slipped_in(number: int, _at: Any) -> str:
    said: str = _("Line %(id)s of the audit trail was slipped in later.", id=number)
    return said
