"""what files are compared with: lists from outside, their digests, and what was found"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KINDS = "kind IN ('relief', 'property', 'business', 'car')"


def upgrade() -> None:
    op.add_column("hardship_aid_file", sa.Column("compared_on", sa.Date(), nullable=True))
    create_lists()
    create_digests()
    create_hits()


def create_lists() -> None:
    table = "hardship_aid_outside_list"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("rows", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f(f"fk_{table}_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f(f"fk_{table}_program_year_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f(f"fk_{table}_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint(
            "program_year_id", "org_id", "content", name=op.f(f"uq_{table}_program_year_id_org_id_content")
        ),
    )
    op.create_index(f"ix_{table}_org_path", table, ["program_year_id", "org_path", "id"])


def create_digests() -> None:
    table = "hardship_aid_outside"
    op.create_table(
        table,
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f(f"ck_{table}_kind")),
        sa.ForeignKeyConstraint(
            ["list_id"], ["hardship_aid_outside_list.id"], name=op.f(f"fk_{table}_list_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("list_id", "digest", "kind", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_digest"), table, ["digest"])


def create_hits() -> None:
    table = "hardship_aid_hit"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("found_on", sa.Date(), nullable=False),
        sa.CheckConstraint(KINDS, name=op.f(f"ck_{table}_kind")),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f(f"fk_{table}_program_year_id")
        ),
        sa.ForeignKeyConstraint(
            ["file_id"], ["hardship_aid_file.id"], name=op.f(f"fk_{table}_file_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["list_id"], ["hardship_aid_outside_list.id"], name=op.f(f"fk_{table}_list_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("file_id", "list_id", "kind", name=op.f(f"uq_{table}_file_id_list_id_kind")),
    )
    op.create_index(op.f(f"ix_{table}_program_year_id"), table, ["program_year_id", "id"])
    op.create_index(op.f(f"ix_{table}_list_id"), table, ["list_id"])


def downgrade() -> None:
    op.drop_table("hardship_aid_hit")
    op.drop_table("hardship_aid_outside")
    op.drop_table("hardship_aid_outside_list")
    op.drop_column("hardship_aid_file", "compared_on")
