"""What waits for whom, the inbox, and e-mails that say how much waits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

OPEN = sa.text("done_at IS NULL")


def upgrade() -> None:
    op.add_column("core_user", sa.Column("email", sa.Text(), nullable=True))
    op.add_column("core_user", sa.Column("mailing", sa.Text(), server_default="daily", nullable=False))
    op.create_check_constraint(op.f("ck_core_user_mailing"), "core_user", "mailing IN ('none', 'daily', 'each')")
    _tasks()
    _messages()
    _mails()


def _tasks() -> None:
    op.create_table(
        "core_task",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _json("data"),
        _json("address"),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=True),
        sa.Column("permission", sa.Text(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("not_user_id", sa.BigInteger(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        _created_at(),
        _time("done_at"),
        sa.Column("done_by", sa.BigInteger(), nullable=True),
        _time("announced_at"),
        _time("reminded_at"),
        _time("overdue_at"),
        sa.CheckConstraint("(permission IS NULL) <> (user_id IS NULL)", name=op.f("ck_core_task_whose")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_task_org_id_org_path"),
            onupdate="CASCADE",
        ),
        _foreign("core_task", "program_year_id", "core_program_year"),
        _foreign("core_task", "user_id", "core_user"),
        _foreign("core_task", "not_user_id", "core_user"),
        _foreign("core_task", "done_by", "core_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_task")),
    )
    op.create_index(
        "uq_core_task_open",
        "core_task",
        ["subject", "kind", "permission", "user_id"],
        unique=True,
        postgresql_where=OPEN,
        postgresql_nulls_not_distinct=True,
    )
    op.create_index("ix_core_task_org_id", "core_task", ["org_id", "due_on", "id"], postgresql_where=OPEN)
    op.create_index("ix_core_task_user_id", "core_task", ["user_id", "due_on", "id"], postgresql_where=OPEN)
    op.create_index("ix_core_task_org_path", "core_task", ["org_path", "due_on"], postgresql_where=OPEN)
    op.create_index("ix_core_task_due_on", "core_task", ["due_on", "id"], postgresql_where=OPEN)
    op.create_index(
        "ix_core_task_new",
        "core_task",
        ["id"],
        postgresql_where=sa.text("done_at IS NULL AND announced_at IS NULL"),
    )


def _messages() -> None:
    op.create_table(
        "core_message",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _json("data"),
        sa.Column("subject", sa.Text(), nullable=False),
        _json("address"),
        sa.Column("program_year_id", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.Text(), nullable=True),
        _created_at(),
        _time("read_at"),
        _time("announced_at"),
        _foreign("core_message", "user_id", "core_user"),
        _foreign("core_message", "program_year_id", "core_program_year"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_message")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_core_message_user_id_key")),
    )
    op.create_index("ix_core_message_user_id", "core_message", ["user_id", "id"])
    op.create_index("ix_core_message_unread", "core_message", ["user_id"], postgresql_where=sa.text("read_at IS NULL"))
    op.create_index("ix_core_message_new", "core_message", ["id"], postgresql_where=sa.text("announced_at IS NULL"))


def _mails() -> None:
    op.create_table(
        "core_mail",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=True),
        _created_at(),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        _time("sent_at"),
        sa.Column("error", sa.Text(), nullable=True),
        _foreign("core_mail", "user_id", "core_user"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_mail")),
        sa.UniqueConstraint("user_id", "day", name=op.f("uq_core_mail_user_id_day")),
    )
    op.create_index("ix_core_mail_owed", "core_mail", ["id"], postgresql_where=sa.text("sent_at IS NULL"))


def _json(name: str) -> sa.Column:
    return sa.Column(name, postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False)


def _time(name: str) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _created_at() -> sa.Column:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def _foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def downgrade() -> None:
    for table in ("core_mail", "core_message", "core_task"):
        op.drop_table(table)
    op.drop_column("core_user", "mailing")
    op.drop_column("core_user", "email")
