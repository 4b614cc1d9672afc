"""Recomputing what is kept beside the entries: balances, snapshots of closed periods, reversals, settled holds.

Each check yields findings, one sentence each, as ``core.ledger.verify`` does.
"""

from collections.abc import Iterator

from flask_babel import gettext as _
from sqlalchemy import text

from core.extensions import db
from core.ledger.verify import Finding
from core.money import yuan

_KEPT = """
SELECT org.name AS org, account.book, account.code, kept.posted_fen AS kept, coalesce(legs.fen, 0)::bigint AS fen
  FROM core_account account
  JOIN core_org org ON org.id = account.org_id
  LEFT JOIN core_account_balance kept ON kept.account_id = account.id
  LEFT JOIN (SELECT account_id, sum(amount_fen) AS fen FROM core_leg GROUP BY 1) legs ON legs.account_id = account.id
 WHERE kept.posted_fen IS DISTINCT FROM coalesce(legs.fen, 0)
    OR (kept.side, kept.floor_fen) IS DISTINCT FROM (account.side, account.floor_fen)
    OR account.side * coalesce(legs.fen, 0) < account.floor_fen
 ORDER BY org.code, account.book, account.code
"""

_SNAPSHOTS = """
WITH ended AS (
    SELECT book, first_on, (first_on + interval '1 month')::date AS next FROM core_period
     WHERE state IN ('closed', 'locked')
), moved AS (
    SELECT entry.book, leg.account_id, date_trunc('month', entry.effective_on)::date AS month,
           sum(leg.amount_fen) AS fen
      FROM core_leg leg JOIN core_entry entry ON entry.id = leg.entry_id GROUP BY 1, 2, 3
), computed AS (
    SELECT ended.book, ended.first_on, moved.account_id, sum(moved.fen)::bigint AS fen
      FROM ended JOIN moved ON moved.book = ended.book AND moved.month < ended.next GROUP BY 1, 2, 3
)
SELECT book, first_on, count(*) AS count
  FROM computed FULL JOIN core_period_balance kept USING (book, first_on, account_id)
 WHERE kept.posted_fen IS DISTINCT FROM computed.fen
 GROUP BY book, first_on ORDER BY book, first_on
"""

_DISORDER = """
SELECT period.book, period.first_on FROM core_period period
 WHERE period.state NOT IN ('closed', 'locked') AND EXISTS (
    SELECT FROM core_period later
     WHERE later.book = period.book AND later.first_on > period.first_on AND later.state <> 'open')
 ORDER BY 1, 2
"""

_REVERSALS = """
SELECT entry.book, entry.seq FROM core_entry entry JOIN core_entry undone ON undone.id = entry.reverses
 WHERE undone.reverses IS NOT NULL
    OR (undone.book, undone.org_id) <> (entry.book, entry.org_id)
    OR EXISTS (SELECT FROM core_entry other WHERE other.reverses = entry.reverses AND other.id <> entry.id)
    OR EXISTS (SELECT FROM core_leg leg WHERE leg.entry_id IN (entry.id, undone.id)
                GROUP BY leg.account_id HAVING sum(leg.amount_fen) <> 0)
 ORDER BY 1, 2
"""

_HOLDS = """
SELECT hold.id FROM core_hold hold LEFT JOIN core_entry entry ON entry.id = hold.entry_id
  LEFT JOIN LATERAL (
      SELECT sum(amount_fen) AS fen FROM core_leg WHERE entry_id = entry.id AND amount_fen > 0
  ) spent ON true
 WHERE hold.state = 'settled' AND spent.fen IS DISTINCT FROM hold.settled_fen
 ORDER BY hold.id
"""

# Each allotment, and what is taken back, is an entry of who gets it and has a share in one of who gives it.
_ALLOTTED = """
WITH rows AS (
    SELECT allotment.*,
           CASE WHEN takes_back IS NOT NULL THEN 'taken_back' WHEN from_org_id IS NULL THEN 'own_funds'
                ELSE 'allotment' END AS scope
      FROM core_allotment allotment
), said AS (
    SELECT scope, format('%s:%s:%s', program_year_id, key, org_id) AS key, amount_fen AS fen, entry_id FROM rows
     UNION ALL
    SELECT scope, format('%s:%s:%s', program_year_id, key, from_org_id), sum(amount_fen), NULL FROM rows
     WHERE from_org_id IS NOT NULL GROUP BY scope, program_year_id, key, from_org_id
), posted AS (
    SELECT entry.id, entry.scope, entry.key, sum(leg.amount_fen) AS fen
      FROM core_entry entry LEFT JOIN core_leg leg ON leg.entry_id = entry.id AND leg.amount_fen > 0
     WHERE entry.scope IN ('allotment', 'own_funds', 'taken_back') GROUP BY entry.id
)
SELECT coalesce(said.scope, posted.scope) || '/' || coalesce(said.key, posted.key) AS key
  FROM said FULL JOIN posted ON (posted.scope, posted.key) = (said.scope, said.key)
 WHERE said.fen IS DISTINCT FROM posted.fen OR said.entry_id <> posted.id
 ORDER BY 1
"""

_TAKEN_BACK = """
SELECT given.id FROM core_allotment given
  JOIN (SELECT takes_back AS id, sum(amount_fen) AS fen FROM core_allotment
         WHERE takes_back IS NOT NULL GROUP BY 1) back
    ON back.id = given.id
 WHERE back.fen > given.amount_fen OR given.takes_back IS NOT NULL
 ORDER BY given.id
"""

# What is spent on a program settles a hold, unless a run or an allotment accounts for it; a reversal spends nothing.
_UNBUDGETED = """
SELECT entry.book, entry.seq FROM core_entry entry
  JOIN core_leg leg ON leg.entry_id = entry.id JOIN core_account account ON account.id = leg.account_id
 WHERE entry.program_year_id IS NOT NULL AND entry.book = 'statutory' AND entry.reverses IS NULL
   AND entry.scope NOT IN ('allotment', 'own_funds', 'taken_back', 'run', 'run-return')
   AND account.code ^@ '5' AND NOT EXISTS (SELECT FROM core_hold hold WHERE hold.entry_id = entry.id)
 GROUP BY entry.id HAVING sum(leg.amount_fen) > 0
 ORDER BY entry.seq
"""

_TWICE = """
SELECT refusal.scope, refusal.key FROM core_refusal refusal
 WHERE EXISTS (SELECT FROM core_entry entry WHERE entry.scope = refusal.scope AND entry.key = refusal.key)
    OR EXISTS (SELECT FROM core_hold hold WHERE 'hold:' || hold.scope = refusal.scope AND hold.key = refusal.key)
 ORDER BY 1, 2
"""


def verify_books() -> Iterator[Finding]:
    """All of these checks."""
    yield from _verify_kept()
    yield from _verify_periods()
    for row in db.session.execute(text(_REVERSALS)):
        yield Finding(
            "balance",
            _("Entry %(book)s/%(seq)s does not undo another one, once and wholly.", book=row.book, seq=row.seq),
        )
    for row in db.session.execute(text(_HOLDS)):
        yield Finding("budget", _("Hold %(id)s was not settled with what its entry spends.", id=row.id))
    for row in db.session.execute(text(_UNBUDGETED)):
        yield Finding(
            "budget",
            _("Entry %(book)s/%(seq)s spends on a program and is on no budget line.", book=row.book, seq=row.seq),
        )
    for key in db.session.scalars(text(_ALLOTTED)):
        yield Finding("budget", _("The allotment %(key)s and its entry do not say the same.", key=key))
    for number in db.session.scalars(text(_TAKEN_BACK)):
        yield Finding("budget", _("More was taken back of allotment %(id)s than it gave.", id=number))
    for row in db.session.execute(text(_TWICE)):
        yield Finding("balance", _("The key %(key)s was refused and posted as well.", key=f"{row.scope}/{row.key}"))


def _verify_kept() -> Iterator[Finding]:
    for row in db.session.execute(text(_KEPT)):
        yield Finding(
            "balance",
            _(
                "The account %(code)s (%(book)s) of %(org)s keeps %(kept)s yuan; its entries come to %(fen)s yuan.",
                code=row.code,
                book=row.book,
                org=row.org,
                kept=yuan(row.kept or 0),
                fen=yuan(row.fen),
            ),
        )


def _verify_periods() -> Iterator[Finding]:
    for row in db.session.execute(text(_DISORDER)):
        month = f"{row.first_on:%Y-%m}"
        yield Finding("period", _("%(month)s of %(book)s is open before one that is not.", month=month, book=row.book))
    for row in db.session.execute(text(_SNAPSHOTS)):
        yield Finding(
            "period",
            _(
                "%(month)s of %(book)s was closed with other balances on %(count)s accounts.",
                month=f"{row.first_on:%Y-%m}",
                book=row.book,
                count=row.count,
            ),
        )
