"""Wall two: what the policies of all tables ask, the unions that know a person from before, whose a history is."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

#: The reach is `digest|process|on whose behalf all|user|paths|unions above`, see core/wall.py. It holds for the one
#: connection that it was signed for.
REACH = """
CREATE TABLE core_wall (inside bytea NOT NULL, outside bytea NOT NULL);
INSERT INTO core_wall VALUES (sha256(gen_random_uuid()::text::bytea), sha256(gen_random_uuid()::text::bytea));

CREATE FUNCTION core_reach(part integer) RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    reach text := current_setting('zhijia.reach', true);
    said text := substr(reach, 66);
BEGIN
    IF split_part(said, '|', 1) = pg_backend_pid()::text AND left(reach, 64) = (
        SELECT encode(sha256(outside || sha256(inside || convert_to(said, 'UTF8'))), 'hex') FROM core_wall
    ) THEN
        RETURN split_part(said, '|', part);
    END IF;
    RETURN '';
END $$;
CREATE FUNCTION core_sees_all() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT core_reach(2) <> '' $$;
CREATE FUNCTION core_reader() RETURNS bigint LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(core_reach(3), '')::bigint $$;
CREATE FUNCTION core_scope() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT string_to_array(core_reach(4), ',') $$;
-- The first subtree of the scope, which is all of it for nearly everybody, as a range that is compared quickly.
CREATE FUNCTION core_from() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(split_part(core_reach(4), ',', 1), '') $$;
CREATE FUNCTION core_to() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT left(core_from(), -1) || '0' $$;
CREATE FUNCTION core_above() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT string_to_array(core_reach(5), ',') $$;
"""
#: Records stay with the union that was responsible: it goes on seeing whom they are about.
PLACES = """
CREATE FUNCTION core_keep_place() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.org_id <> OLD.org_id THEN
        INSERT INTO core_person_place (person_id, org_id, org_path) VALUES (NEW.id, OLD.org_id, OLD.org_path)
            ON CONFLICT DO NOTHING;
    END IF;
    IF NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id AND NEW.merged_into_id IS NOT NULL THEN
        INSERT INTO core_person_place (person_id, org_id, org_path)
            SELECT NEW.merged_into_id, NEW.org_id, NEW.org_path
            UNION SELECT NEW.merged_into_id, org_id, org_path FROM core_person_place WHERE person_id = NEW.id
            ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER place AFTER UPDATE OF org_id, merged_into_id ON core_person
    FOR EACH ROW WHEN (NEW.org_id <> OLD.org_id OR NEW.merged_into_id IS DISTINCT FROM OLD.merged_into_id)
    EXECUTE FUNCTION core_keep_place();
INSERT INTO core_person_place (person_id, org_id, org_path)
    SELECT DISTINCT merged_into_id, org_id, org_path FROM core_person WHERE merged_into_id IS NOT NULL;
"""
#: The head of a book is what postings hold; the role of the application can lock it no other way.
HEADS = """
CREATE FUNCTION core_hold_head(of_book text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM core_chain_head WHERE book = of_book FOR NO KEY UPDATE;
    RETURN FOUND;
END $$;
"""
HISTORIES = ("core_record_change", "core_flow_step")
FUNCTIONS = (
    "core_above()",
    "core_to()",
    "core_from()",
    "core_scope()",
    "core_reader()",
    "core_sees_all()",
    "core_reach(integer)",
)


def upgrade() -> None:
    op.execute(REACH)
    op.execute(HEADS)
    op.create_table(
        "core_person_place",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.PrimaryKeyConstraint("person_id", "org_id", name=op.f("pk_core_person_place")),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_core_person_place_person_id")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"], ["core_org.id", "core_org.path"], name=op.f("fk_core_person_place_org_id"),
            onupdate="CASCADE",
        ),
    )  # fmt: skip
    op.execute(PLACES)
    for table in HISTORIES:
        op.add_column(table, sa.Column("org_id", sa.BigInteger()))
        op.add_column(table, sa.Column("org_path", sa.Text(collation="C")))
        _say_whose(table)
        op.alter_column(table, "org_id", nullable=False)
        op.alter_column(table, "org_path", nullable=False)
        op.create_foreign_key(
            op.f(f"fk_{table}_org_id"), table, "core_org", ["org_id", "org_path"], ["id", "path"], onupdate="CASCADE"
        )


def _say_whose(table: str) -> None:
    """The history of an entry is its union's; that of one that is gone, the whole tree's."""
    connection = op.get_bind()
    tables = set(sa.inspect(connection).get_table_names())
    for register in connection.execute(sa.text(f"SELECT DISTINCT register FROM {table}")).scalars().all():
        model = register.replace(".", "_")
        if model in tables:
            connection.execute(
                sa.text(
                    f"UPDATE {table} kept SET org_id = entry.org_id, org_path = entry.org_path FROM {model} entry"
                    " WHERE entry.id = kept.row_id AND kept.register = :register"
                ),
                {"register": register},
            )
    root = "(SELECT id, path FROM core_org WHERE parent_id IS NULL ORDER BY id LIMIT 1)"
    op.execute(
        f"UPDATE {table} SET org_id = root.id, org_path = root.path FROM {root} root WHERE {table}.org_id IS NULL"
    )


def downgrade() -> None:
    for table in HISTORIES:
        op.drop_column(table, "org_path")
        op.drop_column(table, "org_id")
    op.execute("DROP TRIGGER place ON core_person")
    op.execute("DROP FUNCTION core_keep_place()")
    op.execute("DROP FUNCTION core_hold_head(text)")
    op.drop_table("core_person_place")
    # The policies ask the functions, so they go first, on whatever table.
    op.execute(
        "DO $$ DECLARE found record; BEGIN"
        " FOR found IN SELECT polname, polrelid::regclass AS name FROM pg_policy WHERE polname LIKE 'wall%' LOOP"
        " EXECUTE format('DROP POLICY %I ON %s', found.polname, found.name);"
        " EXECUTE format('ALTER TABLE %s DISABLE ROW LEVEL SECURITY', found.name); END LOOP; END $$"
    )
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
    op.drop_table("core_wall")
