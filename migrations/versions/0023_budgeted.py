"""What is spent on a program comes from a budget line.

Entries of runs and allotments move their lines themselves; any other of a program year that spends settles a hold, in
the transaction of the entry. A reversal gives back or undoes, and spends nothing.
"""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

BUDGETED = """
CREATE FUNCTION core_check_budgeted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM core_hold WHERE entry_id = NEW.id) AND (
        SELECT sum(leg.amount_fen) FROM core_leg leg JOIN core_account account ON account.id = leg.account_id
         WHERE leg.entry_id = NEW.id AND account.code ^@ '5'
    ) > 0 THEN
        RAISE EXCEPTION 'entry % spends on a program and settles no hold', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER budgeted AFTER INSERT ON core_entry DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.program_year_id IS NOT NULL AND NEW.book = 'statutory' AND NEW.reverses IS NULL
          AND NEW.scope NOT IN ('allotment', 'own_funds', 'taken_back', 'run', 'run-return'))
    EXECUTE FUNCTION core_check_budgeted();
"""


def upgrade() -> None:
    op.execute(BUDGETED)


def downgrade() -> None:
    op.execute("DROP TRIGGER budgeted ON core_entry")
    op.execute("DROP FUNCTION core_check_budgeted()")
