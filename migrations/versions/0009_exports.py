"""Lists as files."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_export",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("args", JSONB(), server_default="{}", nullable=False),
        sa.Column("sort", sa.Text(), server_default="", nullable=False),
        sa.Column("columns", JSONB(), server_default="[]", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("job_id", sa.BigInteger(), nullable=True),
        sa.Column("rows", sa.BigInteger(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("password", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('xlsx', 'csv')", name=op.f("ck_core_export_kind")),
        sa.ForeignKeyConstraint(["job_id"], ["core_job.id"], name=op.f("fk_core_export_job_id")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_export_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_core_export_program_year_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_export_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_export")),
    )
    op.create_index("ix_core_export_user_id", "core_export", ["user_id", "id"])
    op.create_index("ix_core_export_made_at", "core_export", ["made_at"], postgresql_where=sa.text("key IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("core_export")
