"""The steps of entries in their flows, and batches of them."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_flow_step",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("transition", sa.Text(), nullable=False),
        sa.Column("from_state", sa.Text(), nullable=False),
        sa.Column("to_state", sa.Text(), nullable=False),
        sa.Column("at_level", sa.Text(), nullable=True),
        sa.Column("to_level", sa.Text(), nullable=True),
        sa.Column("moved", sa.Boolean(), nullable=False),
        sa.Column("voters", sa.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("comment", sa.Text(), server_default="", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_core_flow_step_person_id")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_flow_step_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_flow_step")),
    )
    op.create_index("ix_core_flow_step_register", "core_flow_step", ["register", "row_id", "id"])
    op.create_index(
        "ix_core_flow_step_person_id",
        "core_flow_step",
        ["person_id"],
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_table(
        "core_flow_batch",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("transition", sa.Text(), nullable=False),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.Column("seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("row_ids", sa.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_core_flow_batch_program_year_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_flow_batch_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_flow_batch")),
    )


def downgrade() -> None:
    op.drop_table("core_flow_batch")
    op.drop_table("core_flow_step")
