"""What the result before said of each payee, so that a run that is computed again can be compared with it."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_run_former",
        sa.Column("run_id", sa.BigInteger(), nullable=False),
        sa.Column("payee_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger()),
        sa.PrimaryKeyConstraint("run_id", "payee_id", name=op.f("pk_core_run_former")),
    )


def downgrade() -> None:
    op.drop_table("core_run_former")
