"""When somebody's name or account became another one, so that a run looks for the changed ones only, not at everybody."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

MARK_PAYEE = """
CREATE FUNCTION core_mark_payee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.payee_changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER payee_changed BEFORE UPDATE OF name, bank_account_tail ON core_person
    FOR EACH ROW WHEN ((OLD.name, OLD.bank_account_tail) IS DISTINCT FROM (NEW.name, NEW.bank_account_tail))
    EXECUTE FUNCTION core_mark_payee();
"""


def upgrade() -> None:
    op.add_column("core_run", sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("core_person", sa.Column("payee_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_core_person_payee_changed_at",
        "core_person",
        ["payee_changed_at"],
        postgresql_where=sa.text("payee_changed_at IS NOT NULL"),
    )
    op.execute(MARK_PAYEE)


def downgrade() -> None:
    op.execute("DROP FUNCTION core_mark_payee() CASCADE")
    op.drop_column("core_person", "payee_changed_at")
    op.drop_column("core_run", "asked_at")
