"""members of households are found by their name and day of birth"""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_hardship_aid_member_born_on", "hardship_aid_member", ["born_on", "name"])


def downgrade() -> None:
    op.drop_index("ix_hardship_aid_member_born_on", table_name="hardship_aid_member")
