"""Sessions on the server, second factors, first passwords that run out; failed logins are counted elsewhere."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "core_session",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("second", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("browser", sa.Text(), nullable=False),
        sa.Column("ended_at", moment, nullable=True),
        sa.Column("ended_why", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_session_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_session")),
        sa.UniqueConstraint("digest", name=op.f("uq_core_session_digest")),
    )
    op.create_index("ix_core_session_user_id", "core_session", ["user_id"])
    op.create_table(
        "core_second_factor",
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("codes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", moment, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_second_factor_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_core_second_factor")),
    )
    op.add_column("core_user", sa.Column("password_until", moment, nullable=True))
    op.add_column("core_user", sa.Column("reopened_at", moment, nullable=True))
    op.drop_column("core_user", "session_token")
    op.drop_table("core_login_failure")


def downgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "core_login_failure",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("at", moment, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_login_failure")),
    )
    op.create_index("ix_core_login_failure_address", "core_login_failure", ["address", "at"])
    op.create_index("ix_core_login_failure_username", "core_login_failure", ["username", "at"])
    op.add_column("core_user", sa.Column("session_token", sa.Text(), nullable=True))
    op.execute("UPDATE core_user SET session_token = replace(gen_random_uuid()::text, '-', '')")
    op.alter_column("core_user", "session_token", nullable=False)
    op.drop_column("core_user", "reopened_at")
    op.drop_column("core_user", "password_until")
    op.drop_table("core_second_factor")
    op.drop_table("core_session")
