"""the visit to a household, and the comparison with outside data"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

FILE = "hardship_aid_file"


def upgrade() -> None:
    op.add_column(FILE, sa.Column("visited_on", sa.Date(), nullable=True))
    op.add_column(FILE, sa.Column("visitors", sa.Text(), server_default="", nullable=False))
    op.create_check_constraint(
        op.f("ck_hardship_aid_file_visited_on"), FILE, "visited_on <= CAST(now() AT TIME ZONE 'Asia/Shanghai' AS date)"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_hardship_aid_file_visited_on"), FILE)
    op.drop_column(FILE, "visitors")
    op.drop_column(FILE, "visited_on")
