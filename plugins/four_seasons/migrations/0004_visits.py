"""visits, each with its entry"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "four_seasons_visit",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.Text(), server_default="", nullable=False),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("party", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("gift", sa.Text(), server_default="", nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("activity_id", sa.BigInteger(), nullable=False),
        sa.Column("reversal_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('cash', 'goods')", name=op.f("ck_four_seasons_visit_kind")),
        sa.CheckConstraint("amount_fen > 0", name=op.f("ck_four_seasons_visit_amount")),
        sa.CheckConstraint("(person_id IS NULL) <> (unit = '')", name=op.f("ck_four_seasons_visit_whom")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_four_seasons_visit_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_four_seasons_visit_program_year_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_four_seasons_visit_person_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["core_entry.id"], name=op.f("fk_four_seasons_visit_entry_id")),
        sa.ForeignKeyConstraint(["reversal_id"], ["core_entry.id"], name=op.f("fk_four_seasons_visit_reversal_id")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_four_seasons_visit_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_four_seasons_visit")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_four_seasons_visit_entry_id")),
        sa.UniqueConstraint("reversal_id", name=op.f("uq_four_seasons_visit_reversal_id")),
    )
    op.create_index("ix_four_seasons_visit_org_path", "four_seasons_visit", ["program_year_id", "org_path", "id"])
    op.create_index(
        "ix_four_seasons_visit_person_id",
        "four_seasons_visit",
        ["person_id"],
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_table("four_seasons_visit")
