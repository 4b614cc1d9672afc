"""Fictional leaders for workers on file, and a visit by each in the year: for demonstrations and measurements."""

from datetime import date, timedelta

from sqlalchemy import text

from core.api import ProgramYear, db
from plugins.hardship_aid.files.fictional import NAMES

#: Of the year 2014 (facts.csv, pairing.*): 61,300 leaders with 81,100 workers.
LEADERS, WORKERS = 61_300, 81_100

# Every second worker of a union may share the leader of the one before; so many do that the leaders come out right,
# spread evenly over the tree.
_PAIRS = text("""
WITH file AS (
    SELECT row_number() OVER (ORDER BY org_path, id) AS at, id, sponsor_id, person_id, org_id, org_path
      FROM hardship_aid_file WHERE sponsor_id = :sponsor AND state = 'on_file'
     ORDER BY org_path, id LIMIT :workers
), placed AS (
    SELECT file.*, row_number() OVER (PARTITION BY org_id ORDER BY at) % 2 = 0 AS may_share FROM file
), ranked AS (
    SELECT placed.*, count(*) FILTER (WHERE may_share) OVER (ORDER BY at) AS place,
           count(*) FILTER (WHERE may_share) OVER () AS places, greatest(count(*) OVER () - :leaders, 0) AS shared
      FROM placed
), led AS (
    SELECT ranked.*, count(*) FILTER (WHERE NOT (
               may_share AND place * shared / places > (place - 1) * shared / places
           )) OVER (ORDER BY at) AS leader
      FROM ranked
)
INSERT INTO hardship_aid_pair (sponsor_id, person_id, org_id, org_path, leader, post, unit, rank, paired_on)
SELECT sponsor_id, person_id, org_id, org_path,
       substr(:surnames, 1 + (leader % 20)::int, 1) || substr(:first, 1 + (leader / 20 % 20)::int, 1)
           || substr(:last, 1 + (leader / 400 % 20)::int, 1),
       CASE rank WHEN 'department' THEN '厅长' WHEN 'division' THEN '处长' WHEN 'section' THEN '科长'
                 ELSE '总经理' END,
       '虚构单位' || leader, rank, :paired_on
  FROM led CROSS JOIN LATERAL (
       SELECT CASE WHEN leader % 100 < 1 THEN 'department' WHEN leader % 100 < 25 THEN 'division'
                   WHEN leader % 100 < 80 THEN 'section' ELSE 'enterprise' END AS rank
       ) told
 ORDER BY at
ON CONFLICT DO NOTHING
""")
_VISITS = text("""
INSERT INTO hardship_aid_pair_visit (program_year_id, person_id, org_id, org_path, leader, visited_on, note, gift_fen)
SELECT :year_id, pair.person_id, pair.org_id, pair.org_path, pair.leader, :first + (pair.id % :days)::int,
       '走访慰问', 20000 + pair.id % 9 * 10000
  FROM hardship_aid_pair pair WHERE pair.sponsor_id = :sponsor AND pair.paired_on = :paired_on
ON CONFLICT DO NOTHING
""")


def pair_workers(program_year: ProgramYear, workers: int = WORKERS, leaders: int = LEADERS) -> int:
    """Pair the first ``workers`` on file, in the order of the tree, with so many leaders; returns how many are new.

    The same files give the same pairs, and what is there stays. A leader has one worker or two of the same union; there
    are more leaders where too few unions have two workers. In the caller's transaction.
    """
    values = NAMES | {"sponsor": program_year.org_id, "workers": workers, "leaders": leaders}
    return _count(_PAIRS, values | {"paired_on": _begin(program_year)})


def visit_workers(program_year: ProgramYear, days: int = 300) -> int:
    """A visit to each of them within the first ``days`` of the year, none of them ahead; returns how many are new.

    In the caller's transaction.
    """
    begin = _begin(program_year)
    values = {"sponsor": program_year.org_id, "year_id": program_year.id, "paired_on": begin}
    return _count(_VISITS, values | {"first": begin + timedelta(days=1), "days": days})


def _begin(program_year: ProgramYear) -> date:
    return date(program_year.year, 1, 1)


def _count(statement: object, values: dict[str, object]) -> int:
    result = db.session.connection().execute(statement, values, execution_options={"preserve_rowcount": True})  # type: ignore[call-overload]
    return int(result.rowcount)
