"""Staged rows refer to their import without a key: it was checked row by row, and nothing ever removes an import."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("fk_core_import_row_import_id", "core_import_row", type_="foreignkey")


def downgrade() -> None:
    op.create_foreign_key("fk_core_import_row_import_id", "core_import_row", "core_import", ["import_id"], ["id"])
