"""Recomputing the fund ledger from its rows, so that nobody has to believe it.

Each check yields findings, one sentence each; no finding means that the books are as they were posted. Entries stream;
memory does not grow with the book.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby

from flask_babel import gettext as _
from sqlalchemy import func, select, text

from core.extensions import db
from core.ledger.models import ChainHead, Entry, Leg
from core.ledger.posting import FIRST, chained, content_digest
from core.money import yuan

BATCH = 2_000


@dataclass(frozen=True)
class Finding:
    """Something that is not as it must be; ``area`` is ``balance``, ``chain``, ``period``, ``budget``,
    ``run``, ``coverage`` or ``audit``."""

    area: str
    sentence: str


@contextmanager
def snapshot() -> Iterator[None]:
    """All that is read inside is of one moment, however long it takes and whatever is posted meanwhile."""
    db.session.rollback()
    db.session.connection(execution_options={"isolation_level": "REPEATABLE READ", "postgresql_readonly": True})
    try:
        yield
    finally:
        db.session.rollback()


def verify_balance() -> Iterator[Finding]:
    """Every entry sums to zero over at least two legs, and every leg belongs to one."""
    rows = db.session.execute(
        select(Entry.book, Entry.seq, func.count(Leg.line), func.coalesce(func.sum(Leg.amount_fen), 0))
        .outerjoin(Leg, Leg.entry_id == Entry.id)
        .group_by(Entry.id)
        .having((func.count(Leg.line) < 2) | (func.sum(Leg.amount_fen) != 0))
        .order_by(Entry.book, Entry.seq)
    )
    for book, seq, legs, total in rows:
        yield Finding(
            "balance",
            _(
                "Entry %(book)s/%(seq)s does not balance: %(legs)s legs, sum %(sum)s yuan.",
                book=book,
                seq=seq,
                legs=legs,
                sum=yuan(int(total)),
            ),
        )
    for entry_id in db.session.scalars(_LEGS_ALONE):
        yield Finding("balance", _("There are legs of an entry %(id)s, which there is not.", id=entry_id))


_LEGS_ALONE = (
    select(Leg.entry_id)
    .outerjoin(Entry, Entry.id == Leg.entry_id)
    .where(Entry.id.is_(None))
    .distinct()
    .order_by(Leg.entry_id)
)


def verify_chain() -> Iterator[Finding]:
    """Every entry's digest follows from the one before it and from what it says, up to the head."""
    heads = {head.book: head for head in db.session.scalars(select(ChainHead))}
    books = db.session.scalars(select(Entry.book).distinct().order_by(Entry.book)).all()
    for book in sorted({*heads, *books}):
        yield from _verify_book(book, heads.get(book))


def _verify_book(book: str, head: ChainHead | None) -> Iterator[Finding]:
    previous, seq = FIRST, 0
    for entry, legs in _entries_with_legs(book):
        seq += 1
        if entry.seq != seq:
            yield Finding("chain", _("Entry %(book)s/%(seq)s is missing.", book=book, seq=seq))
            seq = entry.seq
        elif entry.previous != previous:
            yield Finding("chain", _("Entry %(book)s/%(seq)s does not follow the one before it.", book=book, seq=seq))
        if chained(entry.previous, content_digest(entry, legs)) != entry.digest:
            yield Finding("chain", _("Entry %(book)s/%(seq)s is not as it was posted.", book=book, seq=seq))
        previous = entry.digest
    if head is None or (head.seq, head.digest) != (seq, previous):
        yield Finding("chain", _("The head of book %(book)s is not its last entry.", book=book))


def _entries_with_legs(book: str) -> Iterator[tuple[Entry, list[tuple[int, int, int]]]]:
    rows = db.session.execute(
        select(Entry, Leg.line, Leg.account_id, Leg.amount_fen)
        .outerjoin(Leg, Leg.entry_id == Entry.id)
        .where(Entry.book == book)
        .order_by(Entry.seq, Leg.line)
        .execution_options(yield_per=BATCH, populate_existing=True)
    )
    for _id, group in groupby(rows, key=lambda row: row[0].id):
        lines = list(group)
        yield lines[0][0], [(line, account, amount) for _entry, line, account, amount in lines if line is not None]


def verify_budgets() -> Iterator[Finding]:
    """Allotted, held and used on every budget line follow from allotments, runs, holds, and what was passed down.

    Each source by itself; what was taken back is taken off.
    """
    rows = db.session.execute(text(_BUDGETS))
    for org, year, program, kept, computed in rows:
        yield Finding(
            "budget",
            _(
                "The budget line of %(org)s for %(program)s %(year)s says %(kept)s, but its records say %(computed)s.",
                org=org,
                program=program,
                year=year,
                kept=kept,
                computed=computed,
            ),
        )


# Runs hold what was computed and use what was posted; the ledger may know the table by name, not by import.
_BUDGETS = """
WITH given AS (
    SELECT program_year_id, org_id, from_org_id, source,
           CASE WHEN takes_back IS NULL THEN amount_fen ELSE -amount_fen END AS fen
      FROM core_allotment
), allotted AS (
    SELECT program_year_id, org_id, source, sum(fen) AS fen FROM given GROUP BY 1, 2, 3
), passed_down AS (
    SELECT program_year_id, from_org_id AS org_id, source, sum(fen) AS fen
      FROM given WHERE from_org_id IS NOT NULL GROUP BY 1, 2, 3
), chunks AS (
    SELECT run.program_year_id, chunk.org_id, run.source,
           sum(chunk.total_fen) FILTER (WHERE run.state NOT IN ('posted', 'sent', 'settled')) AS held,
           sum(chunk.total_fen) FILTER (WHERE run.state IN ('posted', 'sent', 'settled')) AS used
      FROM core_run_chunk chunk JOIN core_run run ON run.id = chunk.run_id
     GROUP BY 1, 2, 3
), came_back AS (
    SELECT run.program_year_id, line.chunk_org_id AS org_id, run.source, sum(line.amount_fen) AS fen
      FROM core_payment line JOIN core_run run ON run.id = line.run_id
     WHERE line.returned
     GROUP BY 1, 2, 3
), held AS (
    SELECT hold.budget_line_id,
           sum(hold.amount_fen) FILTER (WHERE hold.state = 'open') AS held,
           sum(hold.settled_fen) FILTER (WHERE undone.id IS NULL) AS used
      FROM core_hold hold LEFT JOIN core_entry undone ON undone.reverses = hold.entry_id
     GROUP BY 1
), compared AS (
    SELECT program_year_id, org_id,
           format('%s/%s/%s', coalesce(line.allotted_fen, 0), coalesce(line.held_fen, 0),
                  coalesce(line.used_fen, 0)) AS kept,
           format('%s/%s/%s', coalesce(allotted.fen, 0), coalesce(chunks.held, 0) + coalesce(held.held, 0),
                  coalesce(chunks.used, 0) - coalesce(came_back.fen, 0) + coalesce(passed_down.fen, 0)
                  + coalesce(held.used, 0)) AS computed
      FROM core_budget_line line
      FULL JOIN allotted USING (program_year_id, org_id, source)
      FULL JOIN passed_down USING (program_year_id, org_id, source)
      FULL JOIN chunks USING (program_year_id, org_id, source)
      FULL JOIN came_back USING (program_year_id, org_id, source)
      FULL JOIN held ON held.budget_line_id = line.id
)
SELECT org.name, year.year, year.program, kept, computed
  FROM compared
  LEFT JOIN core_org org ON org.id = org_id
  LEFT JOIN core_program_year year ON year.id = program_year_id
 WHERE kept <> computed
 ORDER BY org.code
"""
