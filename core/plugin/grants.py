"""The role that the application connects as where it should not own its tables: what it may do, and nothing else.

The guards of the tables say what it needs: a table that is only added to is not changed, one that the database keeps is
only read, a column that is never rewritten is not updated; a table without policies is not touched at all. Guards run
as the owner of the tables, whom the walls do not hold. All of it is given anew each time, as a migration may bring
tables and replace functions.
"""

from dataclasses import dataclass
from typing import Any

from psycopg import Connection, sql
from sqlalchemy import Engine

from core.errors import NotFound, Refused

_ROLE = "SELECT rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = %s"
_OWNED = """
SELECT coalesce(bool_or(pg_has_role(%s, relowner, 'MEMBER')), false),
       coalesce(bool_and(pg_has_role(current_user, relowner, 'USAGE')), true)
  FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
#: Every table with its columns, and those of them that its guards never let anybody change.
_TABLES = """
SELECT class.relname,
       class.relname LIKE '%%\\_alembic' OR class.relname = 'core_keys_in_use'
           OR coalesce(bool_or(guard.proname = 'core_refuse_hands'), false) AS is_kept,
       coalesce(bool_or(guard.proname = 'core_refuse_change' AND trigger.tgtype & 8 > 0), false) AS is_added_to,
       array(SELECT attname::text FROM pg_attribute
              WHERE attrelid = class.oid AND attnum > 0 AND NOT attisdropped
                AND NOT EXISTS (SELECT FROM pg_trigger fixed JOIN pg_proc ON pg_proc.oid = fixed.tgfoid
                                 WHERE fixed.tgrelid = class.oid AND fixed.tgtype & 16 > 0 AND fixed.tgqual IS NULL
                                   AND proname IN ('core_refuse_change', 'core_refuse_line_change',
                                                   'core_refuse_rewriting')
                                   AND (fixed.tgattr::text = '' OR attnum = ANY(fixed.tgattr)))
              ORDER BY attnum) AS changeable
  FROM pg_class class
  LEFT JOIN pg_trigger trigger ON trigger.tgrelid = class.oid AND trigger.tgqual IS NULL
  LEFT JOIN pg_proc guard ON guard.oid = trigger.tgfoid
 WHERE class.relkind IN ('r', 'p') AND class.relnamespace = current_schema()::regnamespace
    AND (class.relrowsecurity OR class.relname LIKE '%%\\_alembic')
 GROUP BY class.oid, class.relname ORDER BY class.relname
"""
_FUNCTIONS = """
SELECT oid::regprocedure::text, proname, prorettype = 'trigger'::regtype FROM pg_proc
 WHERE pronamespace = current_schema()::regnamespace AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'sql')
   AND proname LIKE 'core\\_%' ORDER BY 1
"""
#: What writes to, locks or reads tables past what the role may, besides every guard: a guard sees all rows.
AS_OWNER = frozenset(
    {"core_enter_book", "core_enter_key", "core_hold_book", "core_hold_head", "core_hold_period", "core_reach"}
)
#: From this version on a role may be let look at the contents of a table (ANALYZE) that is not its own.
MAINTAIN = 170_000


@dataclass(frozen=True)
class _Table:
    name: str
    is_kept: bool
    is_added_to: bool
    changeable: list[str]


def grant(engine: Engine, role: str) -> int:
    """Give ``role`` what the application needs on every table, and take everything else; returns how many tables.

    Raises :class:`NotFound` if there is no such role, :class:`Refused` if it is one that nothing could be kept from, or
    if we are not the owner of the tables ourselves.
    """
    with engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        with raw.transaction():
            _refuse_strong(raw, role)
            tables = [_Table(*row) for row in raw.execute(_TABLES)]
            name = sql.Identifier(role)
            _grant_place(raw, name)
            for table in tables:
                _grant_table(raw, name, table)
            _bind_functions(raw)
        return len(tables)


def _refuse_strong(raw: Connection, role: str) -> None:
    found = raw.execute(_ROLE, [role]).fetchone()
    if found is None:
        raise NotFound(f"The database has no role {role}; make it with createuser.")
    ((theirs, ours),) = raw.execute(_OWNED, [role]).fetchall()
    if found[0] or theirs:
        raise Refused(f"Nothing can be kept from the role {role}: it owns the tables or may do anything.")
    if not ours:
        raise Refused("Only the owner of the tables can grant them; connect as the role that db upgrade is run with.")


def _grant_place(raw: Connection, role: sql.Identifier) -> None:
    (schema,), (database,) = raw.execute("SELECT current_schema() UNION ALL SELECT current_database()").fetchall()
    names = {"schema": sql.Identifier(schema), "database": sql.Identifier(database), "role": role}
    for statement in (
        "REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC",
        "REVOKE ALL ON SCHEMA {schema} FROM {role}",
        "GRANT USAGE ON SCHEMA {schema} TO {role}",
        "GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {role}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role}",
        "REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {role}",
    ):
        raw.execute(sql.SQL(statement).format(**names))


def _grant_table(raw: Connection, role: sql.Identifier, table: _Table) -> None:
    rights: list[sql.Composable] = [sql.SQL("SELECT")]
    if not table.is_kept:
        rights.append(sql.SQL("INSERT"))
        if not table.is_added_to:
            rights.append(sql.SQL("DELETE"))
        if table.changeable and not table.is_added_to:
            columns = sql.SQL(", ").join(map(sql.Identifier, table.changeable))
            rights.append(sql.SQL("UPDATE ({})").format(columns))
        if raw.info.server_version >= MAINTAIN:
            rights.append(sql.SQL("MAINTAIN"))
    granted = sql.SQL(", ").join(rights)
    raw.execute(sql.SQL("GRANT {} ON {} TO {}").format(granted, sql.Identifier(table.name), role))


def _bind_functions(raw: Connection) -> None:
    """No table of the role's own making stands in for one that a guard asks, and no guard serves another table."""
    (schema,) = raw.execute("SELECT quote_ident(current_schema())").fetchall()[0]
    for signature, name, is_trigger in raw.execute(_FUNCTIONS).fetchall():
        definer = "SECURITY DEFINER" if is_trigger or name in AS_OWNER else "SECURITY INVOKER"
        raw.execute(f"ALTER FUNCTION {signature} {definer} SET search_path = {schema}, pg_temp".encode())
        if is_trigger:
            raw.execute(f"REVOKE EXECUTE ON FUNCTION {signature} FROM PUBLIC".encode())
