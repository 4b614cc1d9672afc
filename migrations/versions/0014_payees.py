"""Payments name a payee, a person or a union, and what they refer to is checked once a statement instead of row by row.

The foreign keys of a million payments took three quarters of the time of writing them. In their place: a trigger that
looks up every payee, union and run of a statement at once; triggers that keep payees and unions that stand in a run
from being removed; and one that carries the new path of a moved union into its lines. The advisory lock makes those who
add lines and those who change who is who wait for one another, as the keys did.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

LINES = ("core_payment", "core_exclusion")
#: ``core.disbursements.compute.PEOPLE``: between those who add lines and those who change who is who.
LOCK = 0x70656F706C65

CHECK_ADDED = f"""
CREATE OR REPLACE FUNCTION core_check_lines_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared({LOCK});
    IF EXISTS (
        SELECT FROM core_run run
         WHERE run.id IN (SELECT DISTINCT run_id FROM new_lines)
           AND NOT (run.state = 'computing' OR TG_TABLE_NAME = 'core_exclusion' AND run.state IN ('computed', 'notice'))
    ) THEN
        RAISE EXCEPTION '% takes lines only while the run is computed', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT run_id, chunk_org_id FROM new_lines) line
          LEFT JOIN core_run_chunk chunk ON (chunk.run_id, chunk.org_id) = (line.run_id, line.chunk_org_id)
         WHERE chunk.run_id IS NULL
    ) OR EXISTS (
        SELECT FROM (SELECT DISTINCT org_id, org_path FROM new_lines) line
          LEFT JOIN core_org org ON (org.id, org.path) = (line.org_id, line.org_path)
         WHERE org.id IS NULL
    ) OR EXISTS (
        SELECT FROM new_lines line
          LEFT JOIN core_person person ON person.id = line.payee_id
         WHERE person.id IS NULL
           AND line.run_id NOT IN (SELECT id FROM core_run WHERE payees = 'orgs')
    ) OR EXISTS (
        SELECT FROM new_lines line
          JOIN core_run run ON run.id = line.run_id AND run.payees = 'orgs'
          LEFT JOIN core_org org ON org.id = line.payee_id
         WHERE org.id IS NULL
    ) THEN
        RAISE EXCEPTION '% names a run, a payee or a union that there is not', TG_TABLE_NAME
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION core_check_payments_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT run_id, program_year_id, item, purpose, period FROM new_lines) line
          JOIN core_run run ON run.id = line.run_id
         WHERE (run.program_year_id, run.item, run.purpose, run.period)
               IS DISTINCT FROM (line.program_year_id, line.item, line.purpose, line.period)
    ) THEN
        RAISE EXCEPTION 'core_payment names another year, item or purpose than its run'
            USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER as_its_run AFTER INSERT ON core_payment
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION core_check_payments_added();
"""

KEEP_NAMED = f"""
CREATE FUNCTION core_hold_who_is_who() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock({LOCK});
    RETURN NULL;
END $$;

CREATE FUNCTION core_refuse_removing_named() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM removed
          JOIN core_payment line ON line.payee_id = removed.id
          JOIN core_run run ON run.id = line.run_id AND (run.payees = 'orgs') = (TG_TABLE_NAME = 'core_org')
    ) OR EXISTS (
        SELECT FROM removed
          JOIN core_exclusion line ON line.payee_id = removed.id
          JOIN core_run run ON run.id = line.run_id AND (run.payees = 'orgs') = (TG_TABLE_NAME = 'core_org')
    ) OR TG_TABLE_NAME = 'core_org' AND (
        EXISTS (SELECT FROM removed JOIN core_payment line ON line.org_id = removed.id)
        OR EXISTS (SELECT FROM removed JOIN core_exclusion line ON line.org_id = removed.id)
    ) THEN
        RAISE EXCEPTION '% stands in a run', TG_TABLE_NAME USING ERRCODE = 'foreign_key_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION core_move_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- By run, so that the index on run and path finds them.
    UPDATE core_payment line SET org_path = NEW.path
      FROM core_run run WHERE line.run_id = run.id AND line.org_path = OLD.path AND line.org_id = NEW.id;
    UPDATE core_exclusion line SET org_path = NEW.path
      FROM core_run run WHERE line.run_id = run.id AND line.org_path = OLD.path AND line.org_id = NEW.id;
    RETURN NULL;
END $$;

CREATE TRIGGER held BEFORE DELETE ON core_person FOR EACH STATEMENT EXECUTE FUNCTION core_hold_who_is_who();
CREATE TRIGGER held BEFORE DELETE OR UPDATE OF path ON core_org
    FOR EACH STATEMENT EXECUTE FUNCTION core_hold_who_is_who();
CREATE TRIGGER stands_in_a_run AFTER DELETE ON core_person
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_removing_named();
CREATE TRIGGER stands_in_a_run AFTER DELETE ON core_org
    REFERENCING OLD TABLE AS removed FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_removing_named();
CREATE TRIGGER lines_move_too AFTER UPDATE OF path ON core_org
    FOR EACH ROW WHEN (OLD.path IS DISTINCT FROM NEW.path) EXECUTE FUNCTION core_move_lines();
"""

# A line that a run has sealed stays as it is; a run that is computed anew begins with none.
KEEP_SEALS = """
CREATE FUNCTION core_check_seals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM changed JOIN core_run run ON run.id = changed.run_id
         WHERE run.state IN ('approved', 'posted', 'sent')
    ) THEN
        RAISE EXCEPTION 'the payments of an approved run are sealed for good' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER sealed_i AFTER INSERT ON core_seal
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core_check_seals();
CREATE TRIGGER sealed_d AFTER DELETE ON core_seal
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION core_check_seals();
CREATE TRIGGER never_rewritten BEFORE UPDATE ON core_seal FOR EACH ROW EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON core_seal EXECUTE FUNCTION core_refuse_truncate();
"""

RENAMED_COLUMNS = """
DROP TRIGGER never_rewritten ON core_payment;
CREATE TRIGGER never_rewritten BEFORE UPDATE OF run_id, payee_id, program_year_id, item, chunk_org_id, amount_fen,
    quantity, basis, purpose, period ON core_payment FOR EACH ROW EXECUTE FUNCTION core_refuse_line_change();
"""


def upgrade() -> None:
    for table in (*LINES, "core_run_candidate"):
        op.alter_column(table, "person_id", new_column_name="payee_id")
    for table, names in {
        "core_payment": ("run_id_program_year_id_item", "person_id", "org_id_org_path"),
        "core_exclusion": ("run_id", "person_id", "org_id_org_path"),
    }.items():
        for name in names:
            op.drop_constraint(f"fk_{table}_{name}", table, type_="foreignkey")
    op.drop_constraint("uq_core_run_id_program_year_id_item", "core_run", type_="unique")
    op.execute("ALTER INDEX uq_core_payment_person_item RENAME TO uq_core_payment_payee_item")
    op.drop_constraint("pk_core_run_candidate", "core_run_candidate", type_="primary")
    op.create_index("ix_core_run_candidate_run_id", "core_run_candidate", ["run_id", "chunk_org_id"])
    op.add_column("core_run_candidate", sa.Column("quantity", sa.BigInteger()))
    for column in ("note", "payee_name", "account_tail"):
        op.add_column("core_run_candidate", sa.Column(column, sa.Text()))
    _add_to_runs()
    _add_to_payments()
    op.create_table(
        "core_seal",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("chunk_org_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("first_payee_id", sa.BigInteger(), nullable=False),
        sa.Column("last_payee_id", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("total_fen", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "chunk_org_id", "no", name=op.f("pk_core_seal")),
    )
    op.create_table(
        "core_org_account",
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("bank_account", sa.LargeBinary(), nullable=False),
        sa.Column("bank_account_digest", sa.LargeBinary(), nullable=False),
        sa.Column("bank_account_tail", sa.Text(), nullable=False),
        sa.Column("bank_name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_org_account_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("org_id", name=op.f("pk_core_org_account")),
    )
    for step in (CHECK_ADDED, KEEP_NAMED, KEEP_SEALS, RENAMED_COLUMNS):
        op.execute(step)


def _add_to_runs() -> None:
    op.add_column("core_run", sa.Column("payees", sa.Text(), server_default="people", nullable=False))
    op.add_column("core_run", sa.Column("form", sa.Text(), server_default="bank", nullable=False))
    op.add_column("core_run", sa.Column("purpose", sa.Text()))
    op.add_column("core_run", sa.Column("period", sa.Text()))
    op.create_check_constraint(op.f("ck_core_run_payees"), "core_run", "payees IN ('people', 'orgs')")
    op.create_check_constraint(op.f("ck_core_run_form"), "core_run", "form IN ('bank', 'cash', 'goods')")
    op.create_check_constraint(op.f("ck_core_run_purpose"), "core_run", "(purpose IS NULL) = (period IS NULL)")


def _add_to_payments() -> None:
    op.add_column("core_payment", sa.Column("quantity", sa.BigInteger()))
    op.add_column("core_payment", sa.Column("purpose", sa.Text()))
    op.add_column("core_payment", sa.Column("period", sa.Text()))
    op.create_check_constraint(op.f("ck_core_payment_quantity"), "core_payment", "quantity > 0")
    op.create_index(
        "uq_core_payment_payee_purpose",
        "core_payment",
        ["payee_id", "purpose", "period"],
        unique=True,
        postgresql_where=sa.text("purpose IS NOT NULL AND NOT returned"),
    )


def downgrade() -> None:
    """There is no way back once a union was paid or a purpose named; the books keep what the lines say."""
    raise NotImplementedError
