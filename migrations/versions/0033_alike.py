"""rows of an import that could be the same as entries that are there"""

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("core_import", sa.Column("alike", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("core_import_row", sa.Column("alike", sa.Boolean(), server_default="false", nullable=False))


def downgrade() -> None:
    op.drop_column("core_import_row", "alike")
    op.drop_column("core_import", "alike")
