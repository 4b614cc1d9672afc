"""What no program may do to the books, the audit and the payments, told to the database itself.

An org that moves in the tree changes ``org_path`` everywhere; that alone is let through.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

APPEND_ONLY = (
    "core_account",
    "core_activity",
    "core_allotment",
    "core_audit",
    "core_entry",
    "core_leg",
    "core_run_approval",
    "core_settings_version",
)

REFUSE_CHANGE = """
CREATE FUNCTION core_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND to_jsonb(OLD) - 'org_path' = to_jsonb(NEW) - 'org_path' THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION core_refuse_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
"""

CHECK_ENTRY = """
CREATE FUNCTION core_check_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
    total numeric;
    strange bigint;
BEGIN
    SELECT count(*), sum(leg.amount_fen),
           count(*) FILTER (WHERE account.book <> NEW.book OR account.org_id <> NEW.org_id)
      INTO n, total, strange
      FROM core_leg leg JOIN core_account account ON account.id = leg.account_id
     WHERE leg.entry_id = NEW.id;
    IF n < 2 OR total <> 0 THEN
        RAISE EXCEPTION 'entry % does not balance: % legs, sum % fen', NEW.id, n, total
            USING ERRCODE = 'check_violation';
    END IF;
    IF strange > 0 THEN
        RAISE EXCEPTION 'entry % touches the accounts of another book or union', NEW.id
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON core_entry
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION core_check_entry();

CREATE FUNCTION core_check_legs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM new_legs leg JOIN core_entry entry ON entry.id = leg.entry_id
         WHERE entry.transaction <> pg_current_xact_id()::text::bigint
    ) THEN
        RAISE EXCEPTION 'legs come in the transaction of their entry only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE TRIGGER own_transaction AFTER INSERT ON core_leg
    REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION core_check_legs();
"""

# Bulk inserts and deletes are checked once a statement; single lines only where a guarded column changes.
CHECK_PAYMENTS = """
CREATE FUNCTION core_check_lines_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM core_run run
         WHERE run.id IN (SELECT DISTINCT run_id FROM new_lines)
           AND NOT (run.state = 'computing' OR TG_TABLE_NAME = 'core_exclusion' AND run.state IN ('computed', 'notice'))
    ) THEN
        RAISE EXCEPTION '% takes lines only while the run is computed', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION core_check_lines_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM core_run run
         WHERE run.id IN (SELECT DISTINCT run_id FROM old_lines)
           AND run.state IN ('submitted', 'approved', 'posted', 'sent')
    ) THEN
        RAISE EXCEPTION '% keeps the lines of a submitted run', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION core_refuse_line_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a line of % is never rewritten', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE FUNCTION core_check_freeze() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT state FROM core_run WHERE id = NEW.run_id) <> 'submitted' THEN
        RAISE EXCEPTION 'the payee is frozen when the run is approved' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER added AFTER INSERT ON core_payment
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION core_check_lines_added();
CREATE TRIGGER added AFTER INSERT ON core_exclusion
    REFERENCING NEW TABLE AS new_lines FOR EACH STATEMENT EXECUTE FUNCTION core_check_lines_added();
CREATE TRIGGER removed AFTER DELETE ON core_payment
    REFERENCING OLD TABLE AS old_lines FOR EACH STATEMENT EXECUTE FUNCTION core_check_lines_removed();
CREATE TRIGGER removed AFTER DELETE ON core_exclusion
    REFERENCING OLD TABLE AS old_lines FOR EACH STATEMENT EXECUTE FUNCTION core_check_lines_removed();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON core_payment EXECUTE FUNCTION core_refuse_truncate();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON core_exclusion EXECUTE FUNCTION core_refuse_truncate();
CREATE TRIGGER never_rewritten BEFORE UPDATE OF run_id, person_id, program_year_id, item, chunk_org_id, amount_fen, basis
    ON core_payment FOR EACH ROW EXECUTE FUNCTION core_refuse_line_change();
CREATE TRIGGER frozen BEFORE UPDATE OF payee_name, account_tail
    ON core_payment FOR EACH ROW EXECUTE FUNCTION core_check_freeze();
CREATE TRIGGER never_rewritten BEFORE UPDATE OF run_id, person_id, chunk_org_id, reason, note
    ON core_exclusion FOR EACH ROW EXECUTE FUNCTION core_refuse_line_change();
"""

CHECK_RUN = """
CREATE FUNCTION core_check_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('posted', 'sent') AND (
        NEW.state NOT IN ('posted', 'sent')
        OR (NEW.candidates, NEW.paid, NEW.excluded, NEW.total_fen, NEW.settings, NEW.program_year_id, NEW.item)
           IS DISTINCT FROM
           (OLD.candidates, OLD.paid, OLD.excluded, OLD.total_fen, OLD.settings, OLD.program_year_id, OLD.item)
    ) THEN
        RAISE EXCEPTION 'run % is posted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state IN ('approved', 'posted', 'sent') AND OLD.state NOT IN ('approved', 'posted', 'sent') AND (
        SELECT count(*) FILTER (WHERE approved) FROM core_run_approval
         WHERE run_id = NEW.id AND round = NEW.round
    ) < coalesce(NEW.approvals_needed, 1) THEN
        RAISE EXCEPTION 'run % lacks approvals', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER guarded BEFORE UPDATE ON core_run FOR EACH ROW EXECUTE FUNCTION core_check_run();

CREATE FUNCTION core_check_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM core_run WHERE id = NEW.run_id AND NEW.user_id IN (created_by, submitted_by)
    ) THEN
        RAISE EXCEPTION 'nobody approves their own work' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER not_own BEFORE INSERT ON core_run_approval FOR EACH ROW EXECUTE FUNCTION core_check_approval();
"""

FUNCTIONS = (
    "core_refuse_change",
    "core_refuse_truncate",
    "core_check_entry",
    "core_check_legs",
    "core_check_lines_added",
    "core_check_lines_removed",
    "core_refuse_line_change",
    "core_check_freeze",
    "core_check_run",
    "core_check_approval",
)


def upgrade() -> None:
    op.execute(REFUSE_CHANGE)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
        )
        op.execute(f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION core_refuse_truncate()")
    op.execute(CHECK_ENTRY)
    op.execute(CHECK_PAYMENTS)
    op.execute(CHECK_RUN)


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}() CASCADE")
