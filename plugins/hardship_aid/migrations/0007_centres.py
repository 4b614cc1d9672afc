"""aid centres and service stations"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

FUNCTIONS = "ARRAY['relief', 'jobs', 'mediation', 'law', 'training', 'medical', 'counsel']"


def upgrade() -> None:
    table = "hardship_aid_centre"

    def check(name: str, condition: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))

    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.Column("phone", sa.Text(), server_default="", nullable=False),
        sa.Column("opened_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("longitude", sa.Numeric(9, 6), nullable=True),
        sa.Column("latitude", sa.Numeric(8, 6), nullable=True),
        sa.Column("functions", sa.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        check("kind", "kind IN ('centre', 'station')"),
        check("name", "name <> ''"),
        check("closed_on", "closed_on >= opened_on"),
        check("place", "num_nonnulls(longitude, latitude) IN (0, 2)"),
        check("in_china", "longitude BETWEEN 73 AND 136 AND latitude BETWEEN 3 AND 54"),
        check("functions", f"functions <@ {FUNCTIONS}"),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f(f"fk_{table}_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(["sponsor_id"], ["core_org.id"], name=op.f(f"fk_{table}_sponsor_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("sponsor_id", "org_id", "name", name=op.f(f"uq_{table}_sponsor_id_org_id_name")),
    )
    op.create_index(f"ix_{table}_org_path", table, ["sponsor_id", "org_path", "id"])


def downgrade() -> None:
    op.drop_table("hardship_aid_centre")
