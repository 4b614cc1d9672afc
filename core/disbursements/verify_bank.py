"""What went to the bank and what came of it, beside the payments: bank files, returns, results, lists, statements.

Each check yields findings, one sentence each, as ``core.ledger.verify`` does. All of them are aggregates of the
database, but for the files themselves.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from flask_babel import gettext as _
from sqlalchemy import select, text

from core.data_keys import DataKeys
from core.disbursements.models import BankFile
from core.extensions import db
from core.files.vault import read_vault
from core.ledger.verify import Finding

# The lines of a union that were not set aside, as ``banking.results.digest_of_lines`` says them, beside its files. A
# run that is posted may have some of its files; one that is sent has one of each union.
_FILES = """
WITH going AS (
    SELECT run.id AS run_id, line.chunk_org_id AS org_id, count(*) AS lines, sum(line.amount_fen) AS fen,
           sha256(convert_to(string_agg(concat(line.payee_id, ':', line.amount_fen), E'\n' ORDER BY line.payee_id),
                  'UTF8')) AS digest
      FROM core_run run JOIN core_payment line ON line.run_id = run.id
     WHERE run.form = 'bank' AND run.state = ANY('{posted,sent,settled}')
       AND (run.state <> 'posted' OR EXISTS (SELECT FROM core_bank_file WHERE run_id = run.id))
       AND NOT (line.returned AND EXISTS (
           SELECT FROM core_payment_result result JOIN core_bank_return one ON one.id = result.return_id
            WHERE (result.run_id, result.payee_id, result.state) = (line.run_id, line.payee_id, 'failed')
              AND (one.run_id, one.kind) = (line.run_id, 'aside')))
     GROUP BY 1, 2
)
SELECT run_id, org.name AS org, file.name AS file
  FROM going FULL JOIN core_bank_file file USING (run_id, org_id)
  LEFT JOIN core_org org ON org.id = org_id
  LEFT JOIN core_run run ON run.id = run_id
 WHERE CASE WHEN file.run_id IS NULL THEN run.state <> 'posted'
            ELSE (file.lines, file.total_fen) IS DISTINCT FROM (going.lines, going.fen)
              OR file.lines_digest <> going.digest END
 ORDER BY run_id, org.code, file.format
"""

# Whoever marks one line and takes the mark of another leaves their number as it was, so each is compared.
_MARKED = """
SELECT DISTINCT run_id FROM (SELECT run_id, payee_id, true AS here FROM core_payment WHERE returned) line
  FULL JOIN (SELECT run_id, payee_id, true AS here FROM core_payment_result WHERE state = 'failed') failed
    USING (run_id, payee_id)
 WHERE line.here IS NULL OR failed.here IS NULL
 ORDER BY run_id
"""

# What a return file says that it brought, its results, and what was recorded when it was taken over.
_RETURNS = """
WITH came AS (
    SELECT run_id, return_id AS id, count(*) FILTER (WHERE state = 'paid') AS paid,
           count(*) FILTER (WHERE state = 'failed') AS failed
      FROM core_payment_result WHERE return_id IS NOT NULL GROUP BY 1, 2
), returned AS (
    SELECT run_id, result.return_id AS id, sum(line.amount_fen) AS fen
      FROM core_payment_result result JOIN core_payment line USING (run_id, payee_id)
     WHERE result.state = 'failed' AND result.return_id IS NOT NULL GROUP BY 1, 2
), told AS (
    SELECT run.id AS run_id, (data ->> 'return_id')::bigint AS id, (data ->> 'lines')::bigint AS lines,
           coalesce((data ->> 'paid')::bigint, 0) AS paid, (data ->> 'failed')::bigint AS failed,
           (data ->> 'returned_fen')::bigint AS fen
      FROM core_run run JOIN core_audit ON object = 'run:' || run.id AND action IN ('run.results', 'run.set_aside')
)
SELECT run_id, id FROM (SELECT *, true AS here FROM core_bank_return) one
  FULL JOIN came USING (run_id, id)
  FULL JOIN told USING (run_id, id)
  LEFT JOIN returned USING (run_id, id)
 WHERE one.here IS NULL
    OR (one.paid, one.failed, one.total_fen)
       IS DISTINCT FROM (coalesce(came.paid, 0), coalesce(came.failed, 0), coalesce(returned.fen, 0))
    OR (one.state = 'taken') <> (told.fen IS NOT NULL)
    OR one.state = 'taken' AND (one.lines, one.paid, one.failed, one.total_fen)
       IS DISTINCT FROM (coalesce(told.lines, one.lines), told.paid, told.failed, told.fen)
    OR one.faults <> (SELECT count(*) FROM core_bank_return_fault fault WHERE fault.return_id = id)
   AND one.faults <= 100000
 ORDER BY run_id, id
"""

# Results of no file are those of lists: of every line of a union that has confirmed, failed are who did not come.
_LISTS = """
WITH confirmed AS (
    SELECT run_id, org_id, on_day, absent, chunk.paid FROM core_hand_out
      JOIN core_run_chunk chunk USING (run_id, org_id) WHERE confirmed_by IS NOT NULL
), result AS (
    SELECT run_id, payee_id, line.chunk_org_id AS org_id, result.state, result.on_day
      FROM core_payment_result result LEFT JOIN core_payment line USING (run_id, payee_id)
     WHERE result.return_id IS NULL
), known AS (
    SELECT run_id, org_id, count(*) AS lines, min(on_day) AS first_on, max(on_day) AS last_on FROM result GROUP BY 1, 2
), found AS (
    SELECT run_id, org_id FROM known FULL JOIN confirmed USING (run_id, org_id)
     WHERE (lines, first_on, last_on) IS DISTINCT FROM (paid, on_day, on_day)
    UNION
    SELECT run_id, org_id
      FROM (SELECT run_id, org_id, payee_id::bigint, true AS here
              FROM confirmed CROSS JOIN jsonb_array_elements_text(absent) payee_id) absent
      FULL JOIN (SELECT run_id, org_id, payee_id, true AS here FROM result WHERE state = 'failed') failed
        USING (run_id, org_id, payee_id)
     WHERE absent.here IS NULL OR failed.here IS NULL
)
SELECT run_id, org.name FROM found LEFT JOIN core_org org ON org.id = org_id ORDER BY run_id, org.code
"""

_MATCHES = """
SELECT statement_id, line FROM core_statement_line line
 WHERE run_id IS NOT NULL AND NOT EXISTS (
       SELECT FROM core_bank_file file
        WHERE (file.run_id, file.org_id, file.total_fen) = (line.run_id, line.org_id, -line.fen))
 ORDER BY statement_id, line
"""

# What was recorded when a statement was taken in; of those of before only the lines are known.
_STATEMENTS = """
WITH told AS (
    SELECT (data ->> 'statement')::bigint AS id, (data ->> 'lines')::bigint AS lines, (data ->> 'fen')::bigint AS fen
      FROM core_audit WHERE action = 'statement.upload' AND data ? 'statement'
), kept AS (
    SELECT statement_id AS id, count(*) AS lines, sum(fen) AS fen FROM core_statement_line GROUP BY 1
)
SELECT id FROM told LEFT JOIN kept USING (id)
 WHERE (told.lines, told.fen) IS DISTINCT FROM (kept.lines, kept.fen) ORDER BY id
"""


def verify_bank() -> Iterator[Finding]:
    """Everything that the database by itself tells."""
    for run_id, org, file in db.session.execute(text(_FILES)):
        where = {"run": run_id, "org": org}
        if file is None:
            yield Finding("run", _("Run %(run)s, %(org)s: it went to the bank without a bank file.", **where))
        else:
            said = _("Run %(run)s, %(org)s: the bank file %(file)s is not the sum of its payments.", file=file, **where)
            yield Finding("run", said)
    for run_id in db.session.scalars(text(_MARKED)):
        yield Finding("run", _("Run %(run)s: other payments are marked as returned than failed.", run=run_id))
    for run_id, number in db.session.execute(text(_RETURNS)):
        said = _("Run %(run)s: return file %(number)s is not as it was taken over.", run=run_id, number=number)
        yield Finding("run", said)
    for run_id, org in db.session.execute(text(_LISTS)):
        said = _("Run %(run)s, %(org)s: the results are not what was handed out.", run=run_id, org=org)
        yield Finding("run", said)
    for statement, line in db.session.execute(text(_MATCHES)):
        said = _("Line %(line)s of bank statement %(statement)s is matched with a bank file of another sum.",
                 line=line, statement=statement)  # fmt: skip
        yield Finding("run", said)
    for statement in db.session.scalars(text(_STATEMENTS)):
        said = _("Bank statement %(statement)s is not as it was taken in.", statement=statement)
        yield Finding("run", said)


def verify_vault(folder: Path, data_keys: DataKeys) -> Iterator[Finding]:
    """The bytes of every bank file against the digest on record."""
    for name, digest in db.session.execute(select(BankFile.name, BankFile.digest).order_by(BankFile.name)).all():
        found = hashlib.sha256()
        try:
            for block in read_vault(folder / name, data_keys):
                found.update(block)
        except (OSError, InvalidTag):
            yield Finding("run", _("The bank file %(file)s is damaged or no longer there.", file=name))
            continue
        if found.digest() != digest:
            yield Finding("run", _("The bank file %(file)s is not the one whose digest is on record.", file=name))
