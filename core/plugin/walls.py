"""The policies of the tables, which are wall two: whose rows each table holds, said once by its model.

A table with an ``org_path`` belongs to the unions; any other says in its ``info`` whose its rows are (see
core/database.py). They are set after each upgrade, for tables of the core and of plugins alike; a table without one is
shown to nobody.
"""

import sqlalchemy
from sqlalchemy import Table

from core.config import settings_of
from core.database import WALL, Wall, metadata
from core.errors import ConfigError
from core.wall import keys, wall_key

_ALL = "(SELECT core_sees_all())"
_SCOPE = "{column} ^@ ANY ((SELECT core_scope())::text[])"
_ABOVE = "org_path = ANY ((SELECT core_above())::text[])"
#: Asked first, as most rows that are looked at are in it, and a range is compared faster than a list (bench wall).
_FIRST = "(org_path >= (SELECT core_from()) AND org_path < (SELECT core_to()))"
#: Every table of an owner, and the policies that it has, each with the text that it was made of; none where it is open.
_PRESENT = r"""
SELECT class.relname,
       CASE WHEN class.relrowsecurity THEN coalesce(
           (SELECT jsonb_object_agg(polname, coalesce(obj_description(policy.oid, 'pg_policy'), ''))
              FROM pg_policy policy WHERE polrelid = class.oid), '{}') END
  FROM pg_class class
 WHERE class.relkind IN ('r', 'p') AND class.relnamespace = current_schema()::regnamespace
   AND starts_with(class.relname, %(owner)s) AND class.relname NOT LIKE '%%\_alembic' AND class.relname <> 'core_wall'
 ORDER BY class.relname
"""


def wall_of(table: Table) -> Wall:
    """Whose the rows of a table are. Raises :class:`ConfigError` where nothing says it."""
    said = table.info.get(WALL)
    if isinstance(said, Wall):
        return said
    if "org_path" in table.columns:
        return Wall()
    raise ConfigError(
        f"The table {table.name} does not say whose its rows are: give it org_id and org_path with org_reference(), or "
        f'__table_args__ = {{"info": through(...)}}, of_user(...) or of_nobody("why") from core.api.'
    )


def policies_of(table: Table) -> dict[str, str]:
    """Name of a policy -> what follows ``CREATE POLICY name ON table``."""
    wall = wall_of(table)
    if wall.reason:
        return {"wall": "USING (true)"}
    has_org = "org_path" in table.columns
    own = [_FIRST, _ALL, _SCOPE.format(column="org_path")] if has_org else [_ALL]
    found, asked = dict[str, str](), list[str]()  # what asks another table comes last, as it costs most
    if wall.columns:
        seen = _row_above(table, wall)
        if not _is_announced(wall):
            asked.append(seen)
        else:  # who sees from below what is announced there reads what hangs on it, at most, and writes nothing
            found |= {} if wall.held else {"wall_through": f"FOR SELECT USING ({seen})"}
            asked += [] if has_org else [_row_above(table, wall, held=True)]
    if wall.org_id:
        reached = _SCOPE.format(column="org.path")
        asked.append(f"EXISTS (SELECT FROM core_org org WHERE org.id = {table.name}.{wall.org_id} AND {reached})")
    mine = [f"{wall.user} = (SELECT core_reader())"] if wall.user else []
    found["wall"] = f"USING ({' OR '.join([*own, *mine, *asked])})"
    if wall.seen_below:
        found["wall_below"] = f"FOR SELECT USING ({_ABOVE})"
        # Nobody moves their own row to another line, and sees what is announced there.
        kept = [f"({part} AND {_ABOVE})" for part in mine]
        found["wall"] += f" WITH CHECK ({' OR '.join([*own, *kept, *asked])})" if kept else ""
    if wall.appended:
        found["wall_added"] = "FOR INSERT WITH CHECK (true)"
    return found


def _is_announced(wall: Wall) -> bool:
    """Whether the rows that those of the table hang on are seen by unions below."""
    above = metadata.tables.get(wall.table)
    return above is not None and wall_of(above).seen_below


def _row_above(table: Table, wall: Wall, *, held: bool = False) -> str:
    """That the row above is seen; with ``held`` that its union is in reach."""
    pairs = zip(wall.keys, wall.columns, strict=True)
    on = [f"above.{key} = {table.name}.{column}" for key, column in pairs]
    on += [_SCOPE.format(column="above.org_path")] if held else []
    return f"EXISTS (SELECT FROM {wall.table} above WHERE {' AND '.join(on)})"


def protect(connection: sqlalchemy.Connection, owner: str) -> list[str]:
    """Put the policies on every table of an owner (``core`` or a plugin); returns the tables that changed.

    A table that no model knows is shown to nobody. Raises :class:`ConfigError` for one that does not say whose it is.
    """
    changed = []
    for name, present in connection.exec_driver_sql(_PRESENT, {"owner": f"{owner}_"}).all():
        table = metadata.tables.get(name)
        wanted = policies_of(table) if table is not None else {}
        if present == wanted:
            continue
        quoted = connection.dialect.identifier_preparer.quote(name)
        connection.exec_driver_sql(f"ALTER TABLE {quoted} ENABLE ROW LEVEL SECURITY")
        for policy in present or {}:
            connection.exec_driver_sql(f"DROP POLICY {policy} ON {quoted}")
        for policy, body in wanted.items():
            connection.exec_driver_sql(f"CREATE POLICY {policy} ON {quoted} {body}")
            connection.exec_driver_sql(f"COMMENT ON POLICY {policy} ON {quoted} IS {_literal(body)}")
        changed.append(name)
    return changed


def set_key(connection: sqlalchemy.Connection) -> None:
    """Let the policies know the key that this installation signs with."""
    key = wall_key(settings_of().secret_key)
    padded = {"inside": bytes(byte ^ 0x36 for byte in key), "outside": bytes(byte ^ 0x5C for byte in key)}
    connection.execute(keys.update().values(padded))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
