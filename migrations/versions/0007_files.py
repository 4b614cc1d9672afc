"""Attachments of records."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_file",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=True),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("key", sa.Text(), nullable=True),
        sa.Column("thumbnail_key", sa.Text(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("removed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("size > 0", name=op.f("ck_core_file_size")),
        sa.CheckConstraint("(removed_at IS NULL) = (key IS NOT NULL)", name=op.f("ck_core_file_removed")),
        sa.CheckConstraint("key IS NOT NULL OR thumbnail_key IS NULL", name=op.f("ck_core_file_thumbnail")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_file_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_core_file_program_year_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_core_file_person_id")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_file_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_file")),
    )
    op.create_index("ix_core_file_subject", "core_file", ["subject", "id"])
    op.create_index(
        "uq_core_file_subject_digest",
        "core_file",
        ["subject", "digest"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    op.create_index("uq_core_file_key", "core_file", ["key"], unique=True)
    op.create_index("uq_core_file_thumbnail_key", "core_file", ["thumbnail_key"], unique=True)
    op.create_index(
        "ix_core_file_person_id", "core_file", ["person_id"], postgresql_where=sa.text("person_id IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_table("core_file")
