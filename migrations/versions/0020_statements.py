"""Entries are found by their day, and lines of the work ledger by the entry that they tell of."""

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_core_entry_effective_on", "core_entry", ["book", "effective_on"])
    op.create_index("ix_core_activity_entry_id", "core_activity", ["entry_id"])


def downgrade() -> None:
    op.drop_index("ix_core_activity_entry_id", "core_activity")
    op.drop_index("ix_core_entry_effective_on", "core_entry")
