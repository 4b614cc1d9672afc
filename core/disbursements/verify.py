"""Recomputing every run that was computed: lines against totals, totals against entries, seals, coverage."""

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import select, text

from core.disbursements.models import Run
from core.disbursements.services import CHUNK_LINES
from core.extensions import db
from core.ledger.verify import Finding
from core.money import yuan

SEALED = ("approved", "posted", "sent")
RESULT = ("computed", "notice", "submitted", *SEALED)

_CHUNKS = f"""
SELECT org.name, chunk.candidates, chunk.excluded, chunk.digest AS kept_digest, lines.digest,
       chunk.paid AS kept_paid, coalesce(lines.paid, 0) AS paid,
       chunk.total_fen AS kept_fen, coalesce(lines.total_fen, 0) AS fen,
       coalesce(missing.n, 0) AS excluded_lines,
       entry.id AS entry_id, entry.basis_digest,
       (SELECT coalesce(sum(amount_fen), 0) FROM core_leg
         WHERE entry_id = entry.id AND amount_fen > 0) AS entry_fen
  FROM core_run_chunk chunk
  JOIN core_org org ON org.id = chunk.org_id
  LEFT JOIN ({CHUNK_LINES}) lines ON lines.org_id = chunk.org_id
  LEFT JOIN (SELECT chunk_org_id, count(*) AS n FROM core_exclusion WHERE run_id = :run_id GROUP BY 1) missing
         ON missing.chunk_org_id = chunk.org_id
  LEFT JOIN core_entry entry ON entry.id = chunk.entry_id
 WHERE chunk.run_id = :run_id ORDER BY org.code
"""  # noqa: S608  # no outside text

_STRAY = """
SELECT count(*) FROM core_payment payment
 WHERE run_id = :run_id
   AND chunk_org_id NOT IN (SELECT org_id FROM core_run_chunk WHERE run_id = :run_id)
"""

_TWICE = """
SELECT count(*) FROM (
    SELECT FROM core_payment WHERE NOT returned GROUP BY person_id, program_year_id, item HAVING count(*) > 1
) twice
"""


def verify_runs() -> Iterator[Finding]:
    """Findings of every run with a result, and whether anybody was paid the same benefit twice."""
    for run in db.session.scalars(select(Run).where(Run.state.in_(RESULT)).order_by(Run.id)).all():
        yield from _verify_run(run)
    twice = db.session.execute(text(_TWICE)).scalar_one()
    if twice:
        yield Finding("coverage", _("%(count)s people were paid the same benefit twice.", count=twice))


def _verify_run(run: Run) -> Iterator[Finding]:
    rows = db.session.execute(text(_CHUNKS), {"run_id": run.id}).mappings().all()
    for row in rows:
        where = {"run": run.id, "org": row["name"]}
        if (row["paid"], row["fen"]) != (row["kept_paid"], row["kept_fen"]):
            yield Finding(
                "run",
                _(
                    "Run %(run)s, %(org)s: its payments come to %(fen)s yuan, the run says %(kept)s yuan.",
                    fen=yuan(int(row["fen"])),
                    kept=yuan(row["kept_fen"]),
                    **where,
                ),
            )
        if row["candidates"] != row["paid"] + row["excluded_lines"]:
            yield Finding("coverage", _("Run %(run)s, %(org)s: not every candidate is paid or excluded.", **where))
        if run.state in SEALED and row["paid"] and row["digest"] != row["kept_digest"]:
            yield Finding("run", _("Run %(run)s, %(org)s: the payments are not as they were approved.", **where))
        if run.state in ("posted", "sent") and row["kept_fen"]:
            if row["entry_id"] is None or row["entry_fen"] != row["fen"]:
                yield Finding("run", _("Run %(run)s, %(org)s: the entry is not the sum of its payments.", **where))
            elif row["basis_digest"] != row["kept_digest"]:
                yield Finding("run", _("Run %(run)s, %(org)s: the entry seals other payments.", **where))
    kept = (run.candidates, run.paid, run.excluded, run.total_fen)
    sums = tuple(sum(int(row[key]) for row in rows) for key in ("candidates", "kept_paid", "excluded", "kept_fen"))
    if kept != sums:
        yield Finding("run", _("Run %(run)s: its totals are not the sum of its parts.", run=run.id))
    if db.session.execute(text(_STRAY), {"run_id": run.id}).scalar_one():
        yield Finding("coverage", _("Run %(run)s has payments that belong to no part of it.", run=run.id))
