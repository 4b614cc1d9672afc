"""Settings of how long personal data is kept; ends of numbers leave the audit trail, which outlives an erased person."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

#: What unions do with people's data; where the law does not have them do it, the person is asked.
PROCESSING = [
    {"code": "membership", "sensitive": False, "ground": "工会法第三条",
     "title": {"zh": "会员登记和管理", "en": "Keeping the file of a member"}},
    {"code": "payment", "sensitive": True, "ground": None,
     "title": {"zh": "使用银行账户发放款项", "en": "Paying to a bank account"}},
    {"code": "hardship", "sensitive": True, "ground": None,
     "title": {"zh": "记录困难原因和健康情况", "en": "Keeping the causes of hardship and the state of health"}},
]  # fmt: skip
TAILS = "{phone_tail,former_phone_tail,bank_account_tail,former_bank_account_tail,bank_name,former_bank_name}"


def upgrade() -> None:
    op.create_table(
        "core_privacy_rule",
        sa.Column("first_year", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("shown_a_day", sa.BigInteger(), nullable=False),
        sa.Column("import_days", sa.BigInteger(), nullable=False),
        sa.Column("export_days", sa.BigInteger(), nullable=False),
        sa.Column("message_days", sa.BigInteger(), nullable=False),
        sa.Column("quiet_years", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "least(shown_a_day, import_days, export_days, message_days, quiet_years) >= 1",
            name=op.f("ck_core_privacy_rule_at_least_one"),
        ),
        sa.PrimaryKeyConstraint("first_year", name=op.f("pk_core_privacy_rule")),
    )
    op.execute("INSERT INTO core_privacy_rule VALUES (2000, 50, 7, 7, 90, 10)")
    processing = op.create_table(
        "core_processing",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("sensitive", sa.Boolean(), nullable=False),
        sa.Column("ground", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_core_processing")),
    )
    op.bulk_insert(processing, PROCESSING)
    op.create_table(
        "core_consent",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("processing", sa.Text(), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("withdrawn_on", sa.Date(), nullable=True),
        sa.Column("withdrawn_by", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(withdrawn_on IS NULL) = (withdrawn_by IS NULL)", name=op.f("ck_core_consent_withdrawn_by")
        ),
        sa.CheckConstraint("withdrawn_on >= given_on", name=op.f("ck_core_consent_withdrawn_on")),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_core_consent_person_id")),
        sa.ForeignKeyConstraint(["processing"], ["core_processing.code"], name=op.f("fk_core_consent_processing")),
        sa.ForeignKeyConstraint(["recorded_by"], ["core_user.id"], name=op.f("fk_core_consent_recorded_by")),
        sa.ForeignKeyConstraint(["withdrawn_by"], ["core_user.id"], name=op.f("fk_core_consent_withdrawn_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_consent")),
    )
    op.create_index("ix_core_consent_person_id", "core_consent", ["person_id"])
    op.add_column(
        "core_export",
        sa.Column("purpose", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
    )
    op.create_index(
        "ix_core_audit_shown",
        "core_audit",
        ["user_id", "at"],
        postgresql_where=sa.text("action = 'people.numbers_shown'"),
    )
    # The trail is append-only; this is the one time that something is taken out of it.
    op.execute("ALTER TABLE core_audit DISABLE TRIGGER append_only")
    op.execute(f"UPDATE core_audit SET data = data - '{TAILS}'::text[] WHERE action = 'people.correct'")
    op.execute("ALTER TABLE core_audit ENABLE TRIGGER append_only")


def downgrade() -> None:
    op.drop_column("core_export", "purpose")
    op.drop_index("ix_core_audit_shown", table_name="core_audit")
    op.drop_table("core_consent")
    op.drop_table("core_processing")
    op.drop_table("core_privacy_rule")
