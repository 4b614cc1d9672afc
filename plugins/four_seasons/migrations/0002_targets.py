"""how many workers each union is to reach"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "four_seasons_target",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("workers", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint("workers >= 0", name=op.f("ck_four_seasons_target_workers")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_four_seasons_target_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_four_seasons_target_program_year_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_four_seasons_target")),
        sa.UniqueConstraint("program_year_id", "org_id", name=op.f("uq_four_seasons_target_program_year_id_org_id")),
    )
    op.create_index("ix_four_seasons_target_org_path", "four_seasons_target", ["program_year_id", "org_path", "id"])


def downgrade() -> None:
    op.drop_table("four_seasons_target")
