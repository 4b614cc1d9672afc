"""the subsistence line of a year, where a union has one of its own"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hardship_aid_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("monthly_fen", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("monthly_fen > 0", name=op.f("ck_hardship_aid_line_monthly")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_hardship_aid_line_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_hardship_aid_line_program_year_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hardship_aid_line")),
        sa.UniqueConstraint("program_year_id", "org_id", name=op.f("uq_hardship_aid_line_program_year_id_org_id")),
    )
    op.create_index("ix_hardship_aid_line_org_path", "hardship_aid_line", ["program_year_id", "org_path", "id"])


def downgrade() -> None:
    op.drop_table("hardship_aid_line")
