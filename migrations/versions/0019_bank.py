"""What came of the payments: return files, a result a line, lists handed out; runs are settled when all is known.

A result is a row that is added, so that a million payments are not rewritten; the few that come back are marked, which
makes room for them in the unique indexes.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATES = (
    "draft", "computing", "computed", "notice", "submitted", "approved", "posted", "sent", "settled", "cancelled",
    "failed",
)  # fmt: skip

# Whatever the functions look like by now: where they name the states of a run that is in the books, settled is one.
KNOW_SETTLED = """
DO $$
DECLARE known regprocedure;
BEGIN
    FOR known IN SELECT oid FROM pg_proc
        WHERE pronamespace = current_schema()::regnamespace AND prosrc LIKE '%''posted'', ''sent''%'
    LOOP
        EXECUTE replace(pg_get_functiondef(known), '''posted'', ''sent''', '''posted'', ''sent'', ''settled''');
    END LOOP;
END $$;
"""

CHECK_RESULTS = """
CREATE FUNCTION core_check_settled() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'settled' THEN
        RAISE EXCEPTION 'run % is settled', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF (SELECT count(*) FROM core_payment_result WHERE run_id = NEW.id) <> NEW.paid THEN
        RAISE EXCEPTION 'run % has lines whose result is not known', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER settled BEFORE UPDATE OF state ON core_run FOR EACH ROW
    WHEN (NEW.state <> OLD.state AND 'settled' IN (NEW.state, OLD.state)) EXECUTE FUNCTION core_check_settled();

CREATE FUNCTION core_check_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT run_id FROM new_results) result
          LEFT JOIN core_run run ON run.id = result.run_id
         WHERE coalesce(run.state, '') <> CASE run.form WHEN 'bank' THEN 'sent' ELSE 'posted' END
    ) OR EXISTS (
        SELECT FROM new_results result
          LEFT JOIN core_payment line ON (line.run_id, line.payee_id) = (result.run_id, result.payee_id)
         WHERE line.run_id IS NULL
    ) THEN
        RAISE EXCEPTION 'a result names a payment that is not under way' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER under_way AFTER INSERT ON core_payment_result
    REFERENCING NEW TABLE AS new_results FOR EACH STATEMENT EXECUTE FUNCTION core_check_results();

CREATE FUNCTION core_check_returned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.returned OR NOT EXISTS (
        SELECT FROM core_payment_result result
         WHERE (result.run_id, result.payee_id, result.state) = (NEW.run_id, NEW.payee_id, 'failed')
    ) THEN
        RAISE EXCEPTION 'a payment is returned when it has failed, and for good' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER returned BEFORE UPDATE OF returned ON core_payment FOR EACH ROW
    WHEN (OLD.returned IS DISTINCT FROM NEW.returned) EXECUTE FUNCTION core_check_returned();

CREATE FUNCTION core_check_hand_out() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.confirmed_by IS NOT NULL AND to_jsonb(OLD) - 'org_path' <> to_jsonb(NEW) - 'org_path' THEN
        RAISE EXCEPTION 'what was handed out is confirmed' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER confirmed BEFORE UPDATE ON core_hand_out FOR EACH ROW EXECUTE FUNCTION core_check_hand_out();
"""


def upgrade() -> None:
    op.drop_constraint(op.f("ck_core_run_state"), "core_run", type_="check")
    op.create_check_constraint(op.f("ck_core_run_state"), "core_run", f"state IN {STATES}")
    op.add_column("core_run", sa.Column("follows", sa.BigInteger()))
    op.create_foreign_key(op.f("fk_core_run_follows"), "core_run", "core_run", ["follows"], ["id"])
    op.create_index(
        op.f("ix_core_run_follows"), "core_run", ["follows"], postgresql_where=sa.text("follows IS NOT NULL")
    )
    op.add_column("core_bank_file", sa.Column("format", sa.Text(), server_default="csv", nullable=False))
    op.add_column("core_bank_file", sa.Column("lines_digest", sa.LargeBinary()))
    op.drop_constraint(op.f("pk_core_bank_file"), "core_bank_file", type_="primary")
    op.create_primary_key(op.f("pk_core_bank_file"), "core_bank_file", ["run_id", "org_id", "format"])
    _create_returns()
    _create_hand_outs()
    _create_statements()
    op.execute(KNOW_SETTLED)
    op.execute(CHECK_RESULTS)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_payment_result "
        "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
    )
    for table in ("core_payment_result", "core_hand_out"):
        op.execute(f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION core_refuse_truncate()")


def _create_returns() -> None:
    op.create_table(
        "core_bank_return",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="reading", nullable=False),
        sa.Column("said", sa.Text()),
        sa.Column("faults", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("lines", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("paid", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("read_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("state IN ('reading', 'refused', 'taken')", name=op.f("ck_core_bank_return_state")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_bank_return_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["core_run.id"], name=op.f("fk_core_bank_return_run_id")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_bank_return_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_bank_return")),
    )
    op.create_index(
        "uq_core_bank_return_digest",
        "core_bank_return",
        ["run_id", "digest"],
        unique=True,
        postgresql_where=sa.text("state <> 'refused'"),
    )
    op.create_table(
        "core_bank_return_fault",
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("no", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["return_id"], ["core_bank_return.id"], name=op.f("fk_core_bank_return_fault_return_id")
        ),
        sa.PrimaryKeyConstraint("return_id", "no", name=op.f("pk_core_bank_return_fault")),
    )
    op.create_table(
        "core_payment_result",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("return_id", sa.BigInteger()),
        sa.CheckConstraint("state IN ('paid', 'failed')", name=op.f("ck_core_payment_result_state")),
        sa.PrimaryKeyConstraint("run_id", "payee_id", name=op.f("pk_core_payment_result")),
    )
    # Few lines come back, and what looks for them must not read a million.
    op.create_index(
        "ix_core_payment_result_failed",
        "core_payment_result",
        ["run_id", "return_id"],
        postgresql_where=sa.text("state = 'failed'"),
    )
    op.create_index(
        "ix_core_payment_returned",
        "core_payment",
        ["run_id", "org_path", "payee_id"],
        postgresql_where=sa.text("returned"),
    )


def _create_hand_outs() -> None:
    op.create_table(
        "core_hand_out",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("absent", postgresql.JSONB(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("confirmed_by", sa.BigInteger()),
        sa.Column("confirmed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("confirmed_by <> recorded_by", name=op.f("ck_core_hand_out_two_people")),
        sa.CheckConstraint("(confirmed_by IS NULL) = (confirmed_at IS NULL)", name=op.f("ck_core_hand_out_confirmed")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_hand_out_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["run_id"], ["core_run.id"], name=op.f("fk_core_hand_out_run_id")),
        sa.ForeignKeyConstraint(["recorded_by"], ["core_user.id"], name=op.f("fk_core_hand_out_recorded_by")),
        sa.ForeignKeyConstraint(["confirmed_by"], ["core_user.id"], name=op.f("fk_core_hand_out_confirmed_by")),
        sa.PrimaryKeyConstraint("run_id", "org_id", name=op.f("pk_core_hand_out")),
    )


def _create_statements() -> None:
    op.create_table(
        "core_statement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_statement_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_statement_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_statement")),
        sa.UniqueConstraint("org_id", "digest", name=op.f("uq_core_statement_org_id_digest")),
    )
    op.create_table(
        "core_statement_line",
        sa.Column("statement_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("counterparty", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger()),
        sa.Column("matched_by", sa.BigInteger()),
        sa.Column("matched_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("run_id IS NULL OR fen < 0", name=op.f("ck_core_statement_line_matched")),
        sa.ForeignKeyConstraint(
            ["run_id", "org_id"],
            ["core_run_chunk.run_id", "core_run_chunk.org_id"],
            name=op.f("fk_core_statement_line_run_id_org_id"),
        ),
        sa.ForeignKeyConstraint(
            ["statement_id"], ["core_statement.id"], name=op.f("fk_core_statement_line_statement_id")
        ),
        sa.ForeignKeyConstraint(["matched_by"], ["core_user.id"], name=op.f("fk_core_statement_line_matched_by")),
        sa.PrimaryKeyConstraint("statement_id", "line", name=op.f("pk_core_statement_line")),
    )
    op.create_index(
        "uq_core_statement_line_run_id",
        "core_statement_line",
        ["run_id", "org_id"],
        unique=True,
        postgresql_where=sa.text("run_id IS NOT NULL"),
    )


def downgrade() -> None:
    """There is no way back once a bank has said what came of a payment; the books keep what was reversed."""
    raise NotImplementedError
