"""kitchens"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "meals_kitchen",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seats", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("at_level", sa.Text(), nullable=True),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["core_user.id"], name=op.f("fk_meals_kitchen_made_by")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_meals_kitchen_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_meals_kitchen_program_year_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meals_kitchen")),
    )
    op.create_index(op.f("ix_meals_kitchen_state"), "meals_kitchen", ["state"], unique=False)
    op.create_index("ix_meals_kitchen_org_path", "meals_kitchen", ["program_year_id", "org_path", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("meals_kitchen")
