"""Two files that are one person, and files of which nothing personal is left."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("core_person", sa.Column("merged_into_id", sa.BigInteger(), nullable=True))
    op.add_column("core_person", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(
        op.f("fk_core_person_merged_into_id"), "core_person", "core_person", ["merged_into_id"], ["id"]
    )
    op.create_index(
        "ix_core_person_merged_into_id",
        "core_person",
        ["merged_into_id"],
        postgresql_where=sa.text("merged_into_id IS NOT NULL"),
    )
    op.create_check_constraint(
        op.f("ck_core_person_merged"), "core_person", "merged_into_id IS NULL OR NOT active AND merged_into_id <> id"
    )
    op.create_check_constraint(op.f("ck_core_person_erased"), "core_person", "erased_at IS NULL OR NOT active")


def downgrade() -> None:
    op.drop_column("core_person", "erased_at")
    op.drop_column("core_person", "merged_into_id")
