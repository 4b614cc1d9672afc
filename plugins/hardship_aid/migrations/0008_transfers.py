"""requests that another union take over a worker with the file"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = "hardship_aid_transfer"

    def check(name: str, condition: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))

    def union(org_id: str, org_path: str) -> sa.ForeignKeyConstraint:
        name = op.f(f"fk_{table}_{org_id}_{org_path}")
        return sa.ForeignKeyConstraint(
            [org_id, org_path], ["core_org.id", "core_org.path"], name=name, onupdate="CASCADE"
        )

    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("from_org_id", sa.BigInteger(), nullable=False),
        sa.Column("from_org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("answer", sa.Text(), server_default="", nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        check("state", "state IN ('open', 'accepted', 'declined', 'withdrawn')"),
        check("another", "org_id <> from_org_id"),
        check("reason", "reason <> ''"),
        check("answer", "state <> 'declined' OR answer <> ''"),
        check("decided", "(state = 'open') = (decided_at IS NULL)"),
        union("org_id", "org_path"),
        union("from_org_id", "from_org_path"),
        sa.ForeignKeyConstraint(["sponsor_id"], ["core_org.id"], name=op.f(f"fk_{table}_sponsor_id")),
        sa.ForeignKeyConstraint(
            ["person_id"], ["hardship_aid_file.person_id"], name=op.f(f"fk_{table}_person_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["core_user.id"], name=op.f(f"fk_{table}_asked_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["core_user.id"], name=op.f(f"fk_{table}_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"uq_{table}_open", table, ["person_id"], unique=True, postgresql_where=sa.text("state = 'open'"))
    op.create_index(f"ix_{table}_person_id", table, ["person_id", "id"])
    op.create_index(f"ix_{table}_org_path", table, ["sponsor_id", "org_path", "id"])
    op.create_index(f"ix_{table}_from_org_path", table, ["sponsor_id", "from_org_path", "id"])


def downgrade() -> None:
    op.drop_table("hardship_aid_transfer")
