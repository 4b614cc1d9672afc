"""Recomputing what was decided about runs, and looking for lines that no run accounts for.

Each check yields findings, one sentence each, as ``core.ledger.verify`` does.
"""

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import select, text

from core.disbursements.models import Run, RunApproval
from core.disbursements.sealing import record_digest
from core.disbursements.verify import SEALED
from core.extensions import db
from core.ledger.verify import Finding

#: What is fetched at a time.
BATCH = 100

# A run that was computed with other settings than those of its version; the versions are never rewritten.
_SETTINGS = """
SELECT run.id FROM core_run run
  LEFT JOIN core_settings_version kept
    ON (kept.program_year_id, kept.version) = (run.program_year_id, run.settings_version)
 WHERE run.state = ANY(:states) AND run.settings IS DISTINCT FROM kept.settings
 ORDER BY run.id
"""

# One look at all payments: they say what their run says, and the run is one that has payments.
_STRAY = """
SELECT line.run_id, sum(line.count)::bigint AS count FROM (
    SELECT run_id, chunk_org_id, program_year_id, item, purpose, period, count(*)
      FROM core_payment GROUP BY 1, 2, 3, 4, 5, 6
) line
  LEFT JOIN core_run run ON run.id = line.run_id AND run.state NOT IN ('draft', 'cancelled', 'failed')
   AND (run.program_year_id, run.item) = (line.program_year_id, line.item)
   AND (run.purpose, run.period) IS NOT DISTINCT FROM (line.purpose, line.period)
  LEFT JOIN core_run_chunk chunk ON (chunk.run_id, chunk.org_id) = (line.run_id, line.chunk_org_id)
 WHERE run.id IS NULL OR chunk.run_id IS NULL
 GROUP BY line.run_id ORDER BY line.run_id
"""

_SEALS = """
SELECT seal.run_id, seal.chunk_org_id, count(*) FROM core_seal seal
  LEFT JOIN core_run_chunk chunk ON (chunk.run_id, chunk.org_id) = (seal.run_id, seal.chunk_org_id)
 WHERE chunk.run_id IS NULL GROUP BY 1, 2 ORDER BY 1, 2
"""

_ENTRIES = """
SELECT entry.book, entry.seq FROM core_entry entry
  LEFT JOIN core_run_chunk chunk ON chunk.entry_id = entry.id
   AND chunk.org_id = entry.org_id AND entry.key = chunk.run_id || ':' || chunk.org_id
  LEFT JOIN core_run run ON run.id = chunk.run_id AND run.state = ANY(:states)
   AND run.program_year_id = entry.program_year_id
 WHERE entry.scope = 'run' AND run.id IS NULL
 ORDER BY entry.book, entry.seq
"""


def verify_records() -> Iterator[Finding]:
    """Approvals, settings and records of runs; payments, seals and entries without a run that they belong to."""
    states = {"states": list(SEALED)}
    for run in db.session.scalars(
        select(Run)
        .where(Run.state.in_(SEALED))
        .order_by(Run.id)
        .execution_options(yield_per=BATCH, populate_existing=True)
    ):
        yield from _verify_decisions(run)
    for run_id in db.session.scalars(text(_SETTINGS), states):
        said = _("Run %(run)s was computed with settings that its year never had.", run=run_id)
        yield Finding("run", said)
    for run_id, count in db.session.execute(text(_STRAY)):
        said = _("%(count)s payments name run %(run)s, which they do not belong to.", count=count, run=run_id)
        yield Finding("run", said)
    for run_id, org_id, count in db.session.execute(text(_SEALS)):
        said = _("Run %(run)s has %(count)s sealed blocks of union %(org)s, which pays nothing in it.",
                 run=run_id, org=org_id, count=count)  # fmt: skip
        yield Finding("run", said)
    for book, seq in db.session.execute(text(_ENTRIES), states):
        yield Finding("run", _("Entry %(book)s/%(seq)s belongs to no posted run.", book=book, seq=seq))


def _verify_decisions(run: Run) -> Iterator[Finding]:
    given = [
        (place, user)
        for place, user in db.session.execute(
            select(RunApproval.stage, RunApproval.user_id).where(
                RunApproval.run_id == run.id, RunApproval.round == run.round, RunApproval.approved
            )
        )
    ]
    asked = run.stages or [{}]  # a run of before stages has one approval at least
    for place, stage in enumerate(asked, start=1):
        deciders = stage.get("deciders")
        counted = [user for at, user in given if at == place and (deciders is None or user in deciders)]
        if len(counted) < max(1, int(stage.get("n", 1))):
            said = _("Run %(run)s lacks approvals in stage %(stage)s.", run=run.id, stage=place)
            yield Finding("run", said)
    if {user for _place, user in given} & {run.created_by, run.submitted_by}:
        yield Finding("run", _("Run %(run)s was approved by who made or submitted it.", run=run.id))
    if run.digest is not None and record_digest(run) != run.digest:
        yield Finding("run", _("What was decided about run %(run)s is not as it was when it was posted.", run=run.id))
