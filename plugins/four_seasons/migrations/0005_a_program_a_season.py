"""the winter campaign is a program of its own, and points by which its money may be allotted"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

#: The tables of the core that name a program by its code.
NAMING = ("core_program_year", "core_grant", "core_approval_rule")


def upgrade() -> None:
    rename("four_seasons", "winter_warmth")
    op.add_column("four_seasons_target", sa.Column("points", sa.BigInteger(), server_default="0", nullable=False))
    op.create_check_constraint(op.f("ck_four_seasons_target_points"), "four_seasons_target", "points >= 0")


def downgrade() -> None:
    op.drop_column("four_seasons_target", "points")
    rename("winter_warmth", "four_seasons")


def rename(former: str, code: str) -> None:
    for name in NAMING:
        table = sa.table(name, sa.column("program"))
        op.execute(table.update().where(table.c.program == former).values(program=code))
