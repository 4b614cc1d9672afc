"""Passwords stand apart from the users, whose rows unions below see as well."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_password",
        sa.Column("user_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_core_password")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_password_user_id")),
    )
    op.execute("INSERT INTO core_password (user_id, hash) SELECT id, password_hash FROM core_user")
    op.drop_column("core_user", "password_hash")


def downgrade() -> None:
    op.add_column("core_user", sa.Column("password_hash", sa.Text(), server_default="", nullable=False))
    op.execute("UPDATE core_user SET password_hash = hash FROM core_password WHERE user_id = core_user.id")
    op.alter_column("core_user", "password_hash", server_default=None)
    op.drop_table("core_password")
