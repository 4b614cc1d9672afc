"""The audit trail says from where, tells no wrong time, and is sealed block by block."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

#: Only who restores a database may say when something was.
TIME = """
CREATE FUNCTION core_refuse_other_time() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% takes the time of the transaction', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER own_time BEFORE INSERT ON core_audit
    FOR EACH ROW WHEN (NEW.at <> transaction_timestamp()) EXECUTE FUNCTION core_refuse_other_time();
"""


def upgrade() -> None:
    for name in ("reference", "address", "acting_path"):
        op.add_column("core_audit", sa.Column(name, sa.Text(collation="C" if name == "acting_path" else None)))
    op.add_column("core_audit", sa.Column("program_year_id", sa.BigInteger()))
    op.create_index("ix_core_audit_at", "core_audit", ["at", "id"])
    op.create_index("ix_core_audit_user_id", "core_audit", ["user_id", "at", "id"])
    op.execute(TIME)
    op.create_table(
        "core_audit_seal",
        sa.Column("no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lines", postgresql.INT8MULTIRANGE(), nullable=False),
        sa.Column("last_id", sa.BigInteger(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("prints", sa.LargeBinary(), nullable=False),
        sa.Column("system", sa.BigInteger(), nullable=False),
        sa.Column("next_xid", sa.BigInteger(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_core_audit_seal")),
    )
    op.create_index("ix_core_audit_seal_last_id", "core_audit_seal", ["last_id"])
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_audit_seal "
        "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
    )
    op.execute("CREATE TRIGGER no_truncate BEFORE TRUNCATE ON core_audit_seal EXECUTE FUNCTION core_refuse_truncate()")


def downgrade() -> None:
    op.drop_table("core_audit_seal")
    op.execute("DROP TRIGGER own_time ON core_audit")
    op.execute("DROP FUNCTION core_refuse_other_time()")
    op.drop_index("ix_core_audit_user_id", table_name="core_audit")
    op.drop_index("ix_core_audit_at", table_name="core_audit")
    for name in ("program_year_id", "acting_path", "address", "reference"):
        op.drop_column("core_audit", name)
