"""Which of the data keys the database is encrypted with; all that stands there is of the first."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_keys_in_use",
        sa.Column("id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("cipher", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_core_keys_in_use_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_keys_in_use")),
    )
    op.execute("INSERT INTO core_keys_in_use (id, cipher, digest) VALUES (1, 1, 1)")


def downgrade() -> None:
    op.drop_table("core_keys_in_use")
