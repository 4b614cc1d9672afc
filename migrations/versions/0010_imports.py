"""Files on their way into a register, their rows, and what their headings mean."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

STATES = "('reading', 'mapping', 'staged', 'merging', 'merged', 'cancelled', 'failed', 'undone')"


def upgrade() -> None:
    op.create_table(
        "core_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="reading", nullable=False),
        sa.Column("headings", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("columns", postgresql.JSONB(), server_default="[]", nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
            for name in ("good", "bad", "there", "new_people", "added", "removed")
        ),
        sa.Column("error", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("merged_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(f"state IN {STATES}", name=op.f("ck_core_import_state")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_import_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_core_import_program_year_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_import_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_import")),
    )
    op.create_index("ix_core_import_register", "core_import", ["program_year_id", "register", "org_path", "id"])
    op.create_table(
        "core_import_row",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("values", postgresql.JSONB(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_digest", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_tail", sa.Text(), server_default="", nullable=False),
        sa.Column("errors", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("there", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["core_import.id"], name=op.f("fk_core_import_row_import_id")),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_core_import_row")),
    )
    op.create_table(
        "core_import_mapping",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("columns", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_import_mapping_user_id")),
        sa.PrimaryKeyConstraint("user_id", "register", name=op.f("pk_core_import_mapping")),
    )


def downgrade() -> None:
    for table in ("core_import_mapping", "core_import_row", "core_import"):
        op.drop_table(table)
