"""Public notices of entries of registers, and the objections to them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "core_notice",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("contact", sa.Text(), nullable=False),
        sa.Column("columns", JSONB(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("working_days", sa.BigInteger(), nullable=False),
        sa.Column("posted_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=True),
        sa.Column("withdrawal_reason", sa.Text(), nullable=True),
        sa.CheckConstraint("working_days >= 1 AND ends_on > posted_on", name=op.f("ck_core_notice_days")),
        sa.CheckConstraint(
            "num_nulls(withdrawn_on, withdrawn_by, withdrawal_reason) IN (0, 3)", name=op.f("ck_core_notice_withdrawn")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_notice_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f("fk_core_notice_program_year_id")
        ),
        sa.ForeignKeyConstraint(["created_by"], ["core_user.id"], name=op.f("fk_core_notice_created_by")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["core_user.id"], name=op.f("fk_core_notice_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_notice")),
    )
    op.create_index("ix_core_notice_program_year_id", "core_notice", ["program_year_id", "register", "id"])
    op.create_index("ix_core_notice_register", "core_notice", ["register", "ends_on"])
    op.create_table(
        "core_notice_line",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("notice_id", sa.BigInteger(), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("shown", JSONB(), nullable=False),
        sa.Column("held", sa.Boolean(), server_default="false", nullable=False),
        sa.ForeignKeyConstraint(["notice_id"], ["core_notice.id"], name=op.f("fk_core_notice_line_notice_id")),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_core_notice_line_person_id")),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_notice_line_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_notice_line")),
        sa.UniqueConstraint("notice_id", "row_id", name=op.f("uq_core_notice_line_notice_id_row_id")),
    )
    op.create_index("ix_core_notice_line_notice_id", "core_notice_line", ["notice_id", "org_path", "id"])
    op.create_index("ix_core_notice_line_row_id", "core_notice_line", ["row_id"])
    op.create_index("ix_core_notice_line_held", "core_notice_line", ["row_id"], postgresql_where=sa.text("held"))
    op.create_index(
        "ix_core_notice_line_person_id",
        "core_notice_line",
        ["person_id"],
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_table(
        "core_objection",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("notice_line_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("raised_by", sa.Text(), nullable=False),
        sa.Column("contact", sa.LargeBinary(), nullable=True),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("decided_on", sa.Date(), nullable=True),
        sa.Column("decided_by", sa.BigInteger(), nullable=True),
        sa.Column("upheld", sa.Boolean(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "num_nulls(decided_on, decided_by, upheld, reason) IN (0, 4)", name=op.f("ck_core_objection_decided")
        ),
        sa.CheckConstraint("decided_by <> recorded_by", name=op.f("ck_core_objection_decided_by")),
        sa.ForeignKeyConstraint(
            ["notice_line_id"], ["core_notice_line.id"], name=op.f("fk_core_objection_notice_line_id")
        ),
        sa.ForeignKeyConstraint(["recorded_by"], ["core_user.id"], name=op.f("fk_core_objection_recorded_by")),
        sa.ForeignKeyConstraint(["decided_by"], ["core_user.id"], name=op.f("fk_core_objection_decided_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_objection")),
    )
    op.create_index("ix_core_objection_notice_line_id", "core_objection", ["notice_line_id"])
    op.create_index(
        "ix_core_objection_open", "core_objection", ["notice_line_id"], postgresql_where=sa.text("upheld IS NULL")
    )


def downgrade() -> None:
    for table in ("core_objection", "core_notice_line", "core_notice"):
        op.drop_table(table)
