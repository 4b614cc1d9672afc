"""The lines of a return file beside the payments of their run: all at once, in a table that lasts as long as that.

Everything here is part of the caller's transaction.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import text

from core.bulk import copy_rows
from core.disbursements.banking.reading import Fault, Line
from core.disbursements.models import BankFile
from core.extensions import db
from core.money import plain_yuan

_STAGING = """
CREATE TEMP TABLE bank_line (
    line bigint NOT NULL, payee_id bigint NOT NULL, state text NOT NULL, given_fen bigint, amount_fen bigint,
    reason text NOT NULL, on_day date, owed_fen bigint, final text
) ON COMMIT DROP
"""
#: Each line beside what it is about, as far as that is a payment of these unions.
_BESIDE = """
UPDATE bank_line SET owed_fen = payment.amount_fen, final = result.state
  FROM core_payment payment
  LEFT JOIN core_payment_result result ON (result.run_id, result.payee_id) = (payment.run_id, payment.payee_id)
 WHERE payment.run_id = :run_id AND payment.chunk_org_id = ANY(:org_ids) AND payment.payee_id = bank_line.payee_id
"""
_AMOUNTS = """
UPDATE bank_line SET state = CASE given_fen WHEN 0 THEN 'failed' ELSE 'paid' END WHERE state = 'amount'
"""
_FAULTS = """
WITH found AS (
    SELECT *, first_value(line) OVER (PARTITION BY payee_id ORDER BY line) AS first_line FROM bank_line
)
SELECT found.line, fault.field, fault.code, fault.said
  FROM found CROSS JOIN LATERAL (VALUES
    (1, 'reference', 'reference_unknown', owed_fen IS NULL, concat('R', :run_id, '-', payee_id)),
    (2, 'reference', 'twice', first_line < line, first_line::text),
    (3, 'result', 'larger', given_fen > owed_fen, given_fen::text),
    (4, 'result', 'partial', given_fen > 0 AND given_fen < owed_fen, given_fen::text),
    (5, 'amount', 'larger', amount_fen > owed_fen, amount_fen::text),
    (6, 'amount', 'partial', amount_fen < owed_fen AND NOT (amount_fen = 0 AND state <> 'paid'), amount_fen::text),
    (7, 'result', 'was_' || final, state IN ('paid', 'failed') AND final <> state, '')
  ) fault(no, field, code, is_wrong, said)
 WHERE fault.is_wrong
 ORDER BY found.line, fault.no
 LIMIT :most
"""
_SUMS = """
SELECT coalesce(sum(amount_fen), 0)::bigint AS said_fen,
       coalesce(sum(owed_fen), 0)::bigint AS owed_fen,
       sha256(convert_to(coalesce(string_agg(
           concat(payee_id, ':', coalesce(nullif(amount_fen, 0), owed_fen)), E'\n' ORDER BY payee_id), ''), 'UTF8'))
           AS digest
  FROM bank_line
"""
_TAKE = """
INSERT INTO core_payment_result (run_id, payee_id, state, reason, on_day, return_id)
SELECT :run_id, payee_id, state, CASE state WHEN 'failed' THEN reason ELSE '' END, coalesce(on_day, :today), :return_id
  FROM bank_line
 WHERE final IS NULL AND state IN ('paid', 'failed')
"""
_COLUMNS = ("line", "payee_id", "state", "given_fen", "amount_fen", "reason", "on_day")


@dataclass(frozen=True)
class Sums:
    """All lines of the file together: as it says them, and as they are owed."""

    said_fen: int
    owed_fen: int
    digest: bytes


class Staged:
    """The lines of one file, beside the payments that these unions (ids) make in the run."""

    def __init__(self, run_id: int, org_ids: Sequence[int]) -> None:
        self._run_id = run_id
        self._here: dict[str, Any] = {"run_id": run_id, "org_ids": list(org_ids)}

    def fill(self, lines: Iterator[Line]) -> None:
        """Take the lines in, streaming, and look up what they are about."""
        db.session.execute(text(_STAGING))
        copy_rows("bank_line", _COLUMNS, lines)
        db.session.execute(text("ANALYZE bank_line"))
        db.session.execute(text(_BESIDE), self._here)
        db.session.execute(text(_AMOUNTS))

    def faults(self, most: int) -> list[Fault]:
        """What does not fit the payments, in the order of the lines."""
        rows = db.session.execute(text(_FAULTS), {"run_id": self._run_id, "most": most})
        return [Fault(line, name, code, _said(code, said)) for line, name, code, said in rows]

    def sums(self) -> Sums:
        """The control totals and the check code that the lines come to."""
        return Sums(*db.session.execute(text(_SUMS)).one())

    def take(self, return_id: int, today: date) -> None:
        """Write down the results that are new."""
        db.session.execute(text(_TAKE), {"run_id": self._run_id, "return_id": return_id, "today": today})


def answers(file: BankFile, claimed: str) -> bool:
    """Whether a check code or a SHA-256 that a return file names is of this bank file."""
    return claimed in (file.digest.hex(), file.lines_digest.hex() if file.lines_digest else "")


def _said(code: str, said: str) -> str:
    return plain_yuan(int(said)) if code in ("larger", "partial") else said
