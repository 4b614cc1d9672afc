"""visits"""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE failing_migration_visit (id bigint)")
    op.execute("CREATE NONSENSE")
