"""the hardship list and the staging of uploaded lists"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def org_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", "org_path"],
        ["core_org.id", "core_org.path"],
        name=op.f(f"fk_{table}_org_id_org_path"),
        onupdate="CASCADE",
    )


def upgrade() -> None:
    create_list()
    create_staging()


def create_list() -> None:
    op.create_table(
        "four_seasons_hardship",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "category IN ('deep', 'relative', 'accidental')", name=op.f("ck_four_seasons_hardship_category")
        ),
        org_reference("four_seasons_hardship"),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_four_seasons_hardship_program_year_id")
        ),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_four_seasons_hardship_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_four_seasons_hardship")),
        sa.UniqueConstraint(
            "program_year_id", "person_id", name=op.f("uq_four_seasons_hardship_program_year_id_person_id")
        ),
    )
    op.create_index("ix_four_seasons_hardship_org_path", "four_seasons_hardship", ["program_year_id", "org_path", "id"])


def create_staging() -> None:
    op.create_table(
        "four_seasons_import",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="staged", nullable=False),
        sa.Column("good", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bad", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("added", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "state IN ('staged', 'merging', 'merged', 'cancelled')", name=op.f("ck_four_seasons_import_state")
        ),
        org_reference("four_seasons_import"),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_four_seasons_import_program_year_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_four_seasons_import_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_four_seasons_import")),
    )
    op.create_index(
        "ix_four_seasons_import_program_year_id", "four_seasons_import", ["program_year_id", "org_path", "id"]
    )
    op.create_table(
        "four_seasons_import_row",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("org_code", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("bank_name", sa.Text(), nullable=False),
        sa.Column("id_number", sa.LargeBinary(), nullable=False),
        sa.Column("id_number_digest", sa.LargeBinary(), nullable=True),
        sa.Column("id_number_tail", sa.Text(), nullable=False),
        sa.Column("phone", sa.LargeBinary(), nullable=True),
        sa.Column("bank_account", sa.LargeBinary(), nullable=True),
        sa.Column("errors", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["four_seasons_import.id"], name=op.f("fk_four_seasons_import_row_import_id")
        ),
        sa.PrimaryKeyConstraint("import_id", "line", name=op.f("pk_four_seasons_import_row")),
    )
    op.create_index("ix_four_seasons_import_row_digest", "four_seasons_import_row", ["import_id", "id_number_digest"])


def downgrade() -> None:
    op.drop_table("four_seasons_import_row")
    op.drop_table("four_seasons_import")
    op.drop_table("four_seasons_hardship")
