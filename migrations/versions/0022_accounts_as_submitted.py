"""What a run was submitted with is what it pays: when an account changes is kept, and lines can be set aside.

The moment of a change is written by the database. It takes a lock that submitting a run takes alone
(``core.disbursements.payees.hold_accounts``), so that every change lies before or after, and none is half seen.
"""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

MARK_ACCOUNT = """
CREATE FUNCTION core_mark_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW.bank_account_digest IS NOT DISTINCT FROM OLD.bank_account_digest THEN
            NEW.account_changed_at := OLD.account_changed_at;
            RETURN NEW;
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(x'6163636f756e'::bigint);
    NEW.account_changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER account_changed BEFORE UPDATE OF bank_account_digest, account_changed_at ON core_person
    FOR EACH ROW EXECUTE FUNCTION core_mark_account();
CREATE TRIGGER account_changed BEFORE INSERT OR UPDATE OF bank_account_digest, account_changed_at ON core_org_account
    FOR EACH ROW EXECUTE FUNCTION core_mark_account();
CREATE TRIGGER submission_stays BEFORE UPDATE OF submitted_at ON core_run
    FOR EACH ROW WHEN (OLD.digest IS NOT NULL AND OLD.submitted_at IS DISTINCT FROM NEW.submitted_at)
    EXECUTE FUNCTION core_refuse_line_change();
"""

CHECK_FREEZE = """
CREATE OR REPLACE FUNCTION core_check_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM core_run WHERE id = NEW.run_id) NOT IN ('computed', 'notice') THEN
        RAISE EXCEPTION 'the payee is frozen when the run is submitted' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

# As in 0019, but a line may fail before the bank has it: it was set aside.
CHECK_RESULTS = """
CREATE OR REPLACE FUNCTION core_check_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT run_id, state FROM new_results) result
          LEFT JOIN core_run run ON run.id = result.run_id
         WHERE run.id IS NULL OR NOT CASE run.form
             WHEN 'bank' THEN run.state = 'sent' OR run.state = 'posted' AND result.state = 'failed'
             ELSE run.state = 'posted' END
    ) OR EXISTS (
        SELECT FROM new_results result
          LEFT JOIN core_payment line ON (line.run_id, line.payee_id) = (result.run_id, result.payee_id)
         WHERE line.run_id IS NULL
    ) THEN
        RAISE EXCEPTION 'a result names a payment that is not under way' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    for table in ("core_person", "core_org_account"):
        op.add_column(table, sa.Column("account_changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("core_bank_return", sa.Column("kind", sa.Text(), server_default="bank", nullable=False))
    op.create_check_constraint(op.f("ck_core_bank_return_kind"), "core_bank_return", "kind IN ('bank', 'aside')")
    op.execute(MARK_ACCOUNT)
    op.execute(CHECK_FREEZE)
    op.execute(CHECK_RESULTS)


def downgrade() -> None:
    """There is no way back once a line was set aside: its result is for good."""
    raise NotImplementedError
