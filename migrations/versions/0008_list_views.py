"""What users keep for their lists: columns and saved filters."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_list_view",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("listing", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("columns", JSONB(astext_type=sa.Text()), server_default="[]", nullable=False),
        sa.Column("filters", JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("sort", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_list_view_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_list_view")),
        sa.UniqueConstraint("user_id", "listing", "name", name=op.f("uq_core_list_view_user_id_listing_name")),
    )


def downgrade() -> None:
    op.drop_table("core_list_view")
