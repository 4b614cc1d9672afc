"""What a run was submitted with is what it pays: when an account changes is kept, and lines can be set aside.

What went to the bank and what came of it stays as it was written.

The moment of a change is written by the database. It takes a lock that submitting a run takes alone
(``core.disbursements.payees.hold_accounts``), so that every change lies before or after, and none is half seen.
"""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

MARK_ACCOUNT = """
CREATE FUNCTION core_mark_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF (NEW.bank_account_digest, NEW.bank_name) IS NOT DISTINCT FROM (OLD.bank_account_digest, OLD.bank_name) THEN
            NEW.account_changed_at := OLD.account_changed_at;
            RETURN NEW;
        END IF;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(x'6163636f756e'::bigint);
    NEW.account_changed_at := clock_timestamp();
    RETURN NEW;
END $$;
CREATE TRIGGER account_changed BEFORE UPDATE OF bank_account_digest, bank_name, account_changed_at ON core_person
    FOR EACH ROW EXECUTE FUNCTION core_mark_account();
CREATE TRIGGER account_changed BEFORE INSERT OR UPDATE OF bank_account_digest, bank_name, account_changed_at
    ON core_org_account
    FOR EACH ROW EXECUTE FUNCTION core_mark_account();
CREATE TRIGGER submission_stays BEFORE UPDATE OF submitted_at ON core_run
    FOR EACH ROW WHEN (OLD.digest IS NOT NULL AND OLD.submitted_at IS DISTINCT FROM NEW.submitted_at)
    EXECUTE FUNCTION core_refuse_line_change();
"""

# A return file changes until it is read, a line of a statement as far as it is matched.
KEEP_RECORDS = """
CREATE TRIGGER read BEFORE UPDATE ON core_bank_return
    FOR EACH ROW WHEN (OLD.state <> 'reading') EXECUTE FUNCTION core_refuse_change();
CREATE TRIGGER never_rewritten BEFORE UPDATE OF id, run_id, org_id, name, digest, language, kind, user_id, created_at
    ON core_bank_return FOR EACH ROW EXECUTE FUNCTION core_refuse_line_change();
CREATE TRIGGER never_rewritten BEFORE UPDATE OF statement_id, line, org_id, on_day, fen, counterparty, text
    ON core_statement_line FOR EACH ROW EXECUTE FUNCTION core_refuse_line_change();
"""
APPEND_ONLY = ("core_bank_file", "core_bank_return_fault", "core_statement")
NEVER_REMOVED = ("core_bank_return", "core_hand_out", "core_statement_line")

CHECK_FREEZE = """
CREATE OR REPLACE FUNCTION core_check_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM core_run WHERE id = NEW.run_id) NOT IN ('computed', 'notice') THEN
        RAISE EXCEPTION 'the payee is frozen when the run is submitted' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
"""

# As in 0019; a bank's result comes with a return file that is being read, and a line that never went there is set aside.
CHECK_RESULTS = """
CREATE OR REPLACE FUNCTION core_check_results() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM (SELECT DISTINCT run_id, return_id, state FROM new_results) result
          LEFT JOIN core_run run ON run.id = result.run_id
          LEFT JOIN core_bank_return one ON (one.id, one.run_id, one.state) = (result.return_id, run.id, 'reading')
         WHERE NOT coalesce(CASE
             WHEN run.form <> 'bank' THEN run.state = 'posted' AND result.return_id IS NULL
             WHEN one.kind = 'aside' THEN run.state = 'posted' AND result.state = 'failed'
             ELSE run.state = 'sent' AND one.kind = 'bank' END, false)
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
    op.execute(KEEP_RECORDS)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
        )
    for table in NEVER_REMOVED:
        op.execute(
            f"CREATE TRIGGER never_removed BEFORE DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION core_refuse_line_change()"
        )
    for table in (*APPEND_ONLY, "core_bank_return", "core_statement_line"):
        op.execute(f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION core_refuse_truncate()")
    op.execute(CHECK_FREEZE)
    op.execute(CHECK_RESULTS)


def downgrade() -> None:
    """There is no way back once a line was set aside: its result is for good."""
    raise NotImplementedError
