"""Making and changing the tree of unions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from core.audit.services import Actor, record
from core.bulk import copy_rows
from core.extensions import db
from core.org.divisions import BadDivisions, Division, check_tree, read_divisions
from core.org.queries import known_orgs
from core.pinyin import spell

_STAGED = "loaded_org"
#: ``industry_path``: null leaves it as it is, empty takes it away.
_COLUMNS = ("code", "name", "short_name", "pinyin", "initials", "level", "kind", "parent_code", "path", "industry_path")

_COUNT = """
SELECT count(*) FILTER (WHERE o.id IS NULL) AS added,
       count(*) FILTER (WHERE o.id IS NOT NULL AND (
           o.name, o.short_name, o.pinyin, o.initials, o.level, o.kind, o.path, coalesce(o.industry_path, ''))
           IS DISTINCT FROM (l.name, l.short_name, l.pinyin, l.initials, l.level, l.kind, l.path,
                             coalesce(l.industry_path, o.industry_path, ''))) AS changed,
       count(*) AS total
FROM loaded_org l LEFT JOIN core_org o USING (code)
"""
#: A new org comes in with its final path, but its parent may be new as well: the next statement ties it.
_INSERT = """
INSERT INTO core_org (code, name, short_name, pinyin, initials, level, kind, path, industry_path)
SELECT code, name, short_name, pinyin, initials, level, kind, path, nullif(industry_path, '') FROM loaded_org l
WHERE NOT EXISTS (SELECT FROM core_org o WHERE o.code = l.code)
ORDER BY path
"""
_UPDATE = """
UPDATE core_org o
SET name = l.name, short_name = l.short_name, pinyin = l.pinyin, initials = l.initials, level = l.level,
    kind = l.kind, parent_id = p.id, industry_path = nullif(coalesce(l.industry_path, o.industry_path), '')
FROM loaded_org l LEFT JOIN core_org p ON p.code = l.parent_code
WHERE o.code = l.code
  AND (o.name, o.short_name, o.pinyin, o.initials, o.level, o.kind, o.parent_id, coalesce(o.industry_path, ''))
      IS DISTINCT FROM (l.name, l.short_name, l.pinyin, l.initials, l.level, l.kind, p.id,
                        coalesce(l.industry_path, o.industry_path, ''))
"""
_REMEMBER_INDUSTRY = """
CREATE TEMP TABLE loaded_industry ON COMMIT DROP AS
SELECT o.id, i.id AS industry_id
FROM core_org o JOIN core_org i ON i.path = o.industry_path LEFT JOIN loaded_org l ON l.code = o.code
WHERE l.industry_path IS NULL
"""
#: Whatever hangs below a moved org moves with it, also what the file does not name; the new path cascades from here
#: into every table that names an org.
_MOVE = """
WITH RECURSIVE tree (id, path) AS (
    SELECT id, ('/' || code || '/') COLLATE "C" FROM core_org WHERE parent_id IS NULL
    UNION ALL
    SELECT o.id, t.path || o.code || '/' FROM core_org o JOIN tree t ON o.parent_id = t.id
)
UPDATE core_org o SET path = t.path FROM tree t WHERE t.id = o.id AND t.path <> o.path
"""
_FOLLOW_INDUSTRY = """
UPDATE core_org o SET industry_path = i.path
FROM loaded_industry l JOIN core_org i ON i.id = l.industry_id
WHERE o.id = l.id AND o.industry_path <> i.path
"""


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did, in numbers of orgs. ``left_alone`` are those of the database that the file does not name."""

    added: int
    changed: int
    unchanged: int
    left_alone: int


def load_divisions(actor: Actor, path: Path) -> LoadReport:
    """Make the unions of the divisions in a CSV file, with the overlay of their provinces; all of them or none.

    Raises :class:`core.org.divisions.BadDivisions`, which names every bad row with its line.
    """
    rows = read_divisions(path)
    # Other loads wait here; readers, and rows that refer to an org, do not.
    db.session.execute(text("LOCK TABLE core_org IN SHARE ROW EXCLUSIVE MODE"))
    try:
        rows = check_tree(rows, known_orgs())
    except BadDivisions:
        db.session.rollback()
        raise
    _stage(rows)
    added, changed, total = db.session.execute(text(_COUNT)).one()
    if added or changed:
        for statement in (_REMEMBER_INDUSTRY, _INSERT, _UPDATE, _MOVE, _FOLLOW_INDUSTRY):
            db.session.execute(text(statement))
        for root in sorted({row.path.split("/")[1] for row in rows}):
            record(actor, "org.load", f"org:{root}", f"/{root}/", file=path.name, added=added, changed=changed)
    everything = db.session.execute(text("SELECT count(*) FROM core_org")).scalar_one()
    db.session.commit()
    return LoadReport(added, changed, total - added - changed, everything - total)


def _stage(rows: Sequence[Division]) -> None:
    columns = ", ".join(f"{column} text" for column in _COLUMNS)
    db.session.execute(text(f"CREATE TEMP TABLE {_STAGED} ({columns}) ON COMMIT DROP"))
    copy_rows(
        _STAGED,
        _COLUMNS,
        (
            (
                row.code,
                row.name,
                row.short_name,
                *spell(row.short_name),
                row.level,
                row.kind,
                row.parent_code,
                row.path,
                row.industry_path,
            )
            for row in rows
        ),
    )
    db.session.execute(text(f"ANALYZE {_STAGED}"))
