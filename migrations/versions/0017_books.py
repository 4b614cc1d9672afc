"""Books with kept balances, periods and holds, and what the database itself says about them.

Balances are kept by a trigger of the legs, the head of a chain by one of the entries: who writes to the tables by hand
meets the same rules as the services. Nothing but these triggers may write to either.
"""

import hashlib

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BOOKS = (
    ("statutory", '{"zh": "法定账簿", "en": "Statutory book"}'),
    ("budget", '{"zh": "预算账簿", "en": "Budget book"}'),
    ("insurance", '{"zh": "互助保险账簿", "en": "Insurance book"}'),
)
#: What a chain begins with, as core/ledger/posting.py knows it.
FIRST = hashlib.sha256(b"zhijia").hexdigest()

# How the first digit of a code of the union accounting system tells on which side an account stands.
OLD_ACCOUNTS = """
UPDATE core_account SET side = CASE WHEN left(code, 1) IN ('1', '5') THEN 1 ELSE -1 END;
INSERT INTO core_account_balance (account_id, side, posted_fen)
SELECT account.id, account.side, coalesce(sum(leg.amount_fen), 0)
  FROM core_account account LEFT JOIN core_leg leg ON leg.account_id = account.id
 GROUP BY account.id;
UPDATE core_account account SET floor_fen = 0 FROM core_account_balance balance
 WHERE balance.account_id = account.id AND account.code IN ('101', '102') AND balance.posted_fen >= 0;
UPDATE core_account_balance balance SET floor_fen = account.floor_fen
  FROM core_account account WHERE account.id = balance.account_id;
INSERT INTO core_period (book, first_on)
SELECT DISTINCT book, date_trunc('month', effective_on)::date FROM core_entry;
"""

ACCOUNTS = """
CREATE FUNCTION core_guard_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR to_jsonb(OLD) - '{org_path,closed_on,floor_fen}'::text[]
                           <> to_jsonb(NEW) - '{org_path,closed_on,floor_fen}'::text[]
        OR OLD.closed_on IS NOT NULL AND NEW.closed_on IS DISTINCT FROM OLD.closed_on
    THEN
        RAISE EXCEPTION 'core_account is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.closed_on IS DISTINCT FROM OLD.closed_on AND (
        SELECT posted_fen FROM core_account_balance WHERE account_id = NEW.id FOR NO KEY UPDATE
    ) <> 0 THEN
        RAISE EXCEPTION 'account % is not empty and cannot be closed', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_account
    FOR EACH ROW EXECUTE FUNCTION core_guard_account();

CREATE FUNCTION core_open_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core_account_balance (account_id, side, floor_fen) SELECT id, side, floor_fen FROM new_accounts;
    RETURN NULL;
END $$;
CREATE TRIGGER balances AFTER INSERT ON core_account
    REFERENCING NEW TABLE AS new_accounts FOR EACH STATEMENT EXECUTE FUNCTION core_open_balances();

CREATE FUNCTION core_keep_floor() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE core_account_balance SET floor_fen = NEW.floor_fen WHERE account_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER floors AFTER UPDATE OF floor_fen ON core_account
    FOR EACH ROW EXECUTE FUNCTION core_keep_floor();

-- Rows are taken in the order of their ids, so that two postings never wait for each other.
CREATE FUNCTION core_keep_balances() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM core_account_balance WHERE account_id IN (SELECT account_id FROM new_legs)
      ORDER BY account_id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT FROM new_legs leg JOIN core_account account ON account.id = leg.account_id
         WHERE account.closed_on IS NOT NULL
    ) THEN
        RAISE EXCEPTION 'a closed account takes no legs' USING ERRCODE = 'restrict_violation';
    END IF;
    UPDATE core_account_balance balance SET posted_fen = posted_fen + moved.fen, version = version + 1
      FROM (SELECT account_id, sum(amount_fen) AS fen FROM new_legs GROUP BY account_id) moved
     WHERE balance.account_id = moved.account_id;
    RETURN NULL;
END $$;
CREATE TRIGGER kept_balances AFTER INSERT ON core_leg
    REFERENCING NEW TABLE AS new_legs FOR EACH STATEMENT EXECUTE FUNCTION core_keep_balances();

CREATE FUNCTION core_refuse_hands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() < 2 THEN
        RAISE EXCEPTION '% is kept by the database', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER kept BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON core_account_balance
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_hands();
"""

CHAIN = """
CREATE FUNCTION core_open_chain() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO core_chain_head (book, digest) VALUES (NEW.code, sha256('zhijia')) ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER chain AFTER INSERT ON core_book FOR EACH ROW EXECUTE FUNCTION core_open_chain();

CREATE FUNCTION core_move_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE core_chain_head head SET seq = newest.seq, digest = newest.digest
      FROM (SELECT DISTINCT ON (book) book, seq, digest FROM new_entries ORDER BY book, seq DESC) newest
     WHERE head.book = newest.book;
    RETURN NULL;
END $$;
CREATE TRIGGER moved_head AFTER INSERT ON core_entry
    REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION core_move_head();
CREATE TRIGGER kept BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON core_chain_head
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_hands();

-- An entry that reverses another undoes all of it, in its book, and is no reversal of a reversal.
CREATE FUNCTION core_check_reversal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM core_entry WHERE id = NEW.reverses
           AND (reverses IS NOT NULL OR book <> NEW.book OR org_id <> NEW.org_id)
    ) OR EXISTS (
        SELECT FROM core_leg WHERE entry_id IN (NEW.id, NEW.reverses)
         GROUP BY account_id HAVING sum(amount_fen) <> 0
    ) THEN
        RAISE EXCEPTION 'entry % does not undo entry %', NEW.id, NEW.reverses USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER reversal AFTER INSERT ON core_entry DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.reverses IS NOT NULL) EXECUTE FUNCTION core_check_reversal();
"""

PERIODS = """
-- The state of the month in which ``day`` lies, made when it is missing, and held until the transaction ends: who
-- closes it waits. No month is made before one that is closed; ``closed`` then stands for it.
CREATE FUNCTION core_hold_period(of_book text, day date) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    month date := date_trunc('month', day)::date;
    found_state text;
BEGIN
    SELECT state INTO found_state FROM core_period WHERE book = of_book AND first_on = month FOR SHARE;
    IF FOUND THEN
        RETURN found_state;
    END IF;
    PERFORM FROM core_book WHERE code = of_book FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM core_period WHERE book = of_book AND first_on > month AND state <> 'open') THEN
        RETURN 'closed';
    END IF;
    INSERT INTO core_period (book, first_on) VALUES (of_book, month) ON CONFLICT DO NOTHING;
    SELECT state INTO found_state FROM core_period WHERE book = of_book AND first_on = month FOR SHARE;
    RETURN found_state;
END $$;

-- What a posting takes before it reads anything: the period, then the head of the chain.
CREATE FUNCTION core_enter_book(
    of_book text, day date, OUT state text, OUT currency text, OUT seq bigint, OUT digest bytea
) LANGUAGE plpgsql AS $$
BEGIN
    state := core_hold_period(of_book, day);
    SELECT head.seq, head.digest INTO seq, digest FROM core_chain_head head WHERE head.book = of_book FOR NO KEY UPDATE;
    SELECT book.currency INTO currency FROM core_book book WHERE book.code = of_book;
END $$;

CREATE FUNCTION core_check_period() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    wrong record;
BEGIN
    SELECT * INTO wrong FROM (
        SELECT book, month, core_hold_period(book, month) AS state FROM (
            SELECT DISTINCT book, date_trunc('month', effective_on)::date AS month FROM new_entries ORDER BY 1, 2
        ) months
    ) held WHERE state IS DISTINCT FROM 'open' LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'period % of book % is not open', wrong.month, wrong.book USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER open_period AFTER INSERT ON core_entry
    REFERENCING NEW TABLE AS new_entries FOR EACH STATEMENT EXECUTE FUNCTION core_check_period();

CREATE FUNCTION core_guard_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (NEW.book, NEW.first_on) IS DISTINCT FROM (OLD.book, OLD.first_on) THEN
        RAISE EXCEPTION 'a period stays' USING ERRCODE = 'restrict_violation';
    END IF;
    IF (OLD.state, NEW.state) NOT IN (
        ('open', 'closing'), ('closing', 'open'), ('closing', 'closed'), ('closed', 'open'), ('closed', 'locked')
    ) THEN
        RAISE EXCEPTION 'a period does not go from % to %', OLD.state, NEW.state USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.state IN ('closing', 'closed') AND EXISTS (
        SELECT FROM core_period
         WHERE book = NEW.book AND first_on < NEW.first_on AND state NOT IN ('closed', 'locked')
    ) THEN
        RAISE EXCEPTION 'an earlier period is not closed' USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state = 'closed' AND NEW.state = 'open' AND (
        EXISTS (SELECT FROM core_period WHERE book = NEW.book AND first_on > NEW.first_on AND state <> 'open')
        OR NOT EXISTS (
            SELECT FROM core_reopening
             WHERE book = NEW.book AND first_on = NEW.first_on AND agreed_at = transaction_timestamp()
        )
    ) THEN
        RAISE EXCEPTION 'a closed period is reopened by two persons, the last one first'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guarded BEFORE UPDATE OR DELETE ON core_period FOR EACH ROW EXECUTE FUNCTION core_guard_period();

CREATE FUNCTION core_guard_reopening() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.agreed_by IS NOT NULL
        OR to_jsonb(OLD) - '{agreed_by,agreed_at}'::text[] <> to_jsonb(NEW) - '{agreed_by,agreed_at}'::text[]
    THEN
        RAISE EXCEPTION 'core_reopening is append-only' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guarded BEFORE UPDATE OR DELETE ON core_reopening
    FOR EACH ROW EXECUTE FUNCTION core_guard_reopening();

-- The balances at the end of a period are written while it is closing, and taken back when it is open again.
CREATE FUNCTION core_check_snapshot_added() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT book, first_on FROM new_rows) made
                 LEFT JOIN core_period period USING (book, first_on) WHERE period.state IS DISTINCT FROM 'closing') THEN
        RAISE EXCEPTION 'balances are kept while their period is closing' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION core_check_snapshot_removed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM (SELECT DISTINCT book, first_on FROM old_rows) gone
                 JOIN core_period period USING (book, first_on) WHERE period.state <> 'open') THEN
        RAISE EXCEPTION 'the balances of a closed period stay' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE FUNCTION core_refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never rewritten', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER added AFTER INSERT ON core_period_balance
    REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION core_check_snapshot_added();
CREATE TRIGGER removed AFTER DELETE ON core_period_balance
    REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION core_check_snapshot_removed();
CREATE TRIGGER rewritten BEFORE UPDATE ON core_period_balance
    FOR EACH STATEMENT EXECUTE FUNCTION core_refuse_rewriting();
"""

HOLDS = """
CREATE FUNCTION core_guard_hold() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        IF NEW.state <> 'open' THEN
            RAISE EXCEPTION 'a hold begins open' USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.state <> 'open' OR NEW.state = 'open'
        OR to_jsonb(OLD) - '{state,settled_fen,entry_id}'::text[] <> to_jsonb(NEW) - '{state,settled_fen,entry_id}'::text[]
    THEN
        RAISE EXCEPTION 'a hold is settled, voided or expired once' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER guarded BEFORE INSERT OR UPDATE OR DELETE ON core_hold
    FOR EACH ROW EXECUTE FUNCTION core_guard_hold();

-- One caller at a time decides what a key comes to; then what was refused under it before, if anything was.
CREATE FUNCTION core_enter_key(of_scope text, of_key text, OUT digest bytea, OUT sentence text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(of_scope || chr(31) || of_key, 5));
    SELECT refusal.digest, refusal.sentence INTO digest, sentence
      FROM core_refusal refusal WHERE refusal.scope = of_scope AND refusal.key = of_key;
END $$;
"""

APPEND_ONLY = ("core_book", "core_refusal")
NO_TRUNCATE = ("core_book", "core_refusal", "core_period", "core_period_balance", "core_reopening", "core_hold")
TABLES = (
    "core_refusal",
    "core_hold",
    "core_reopening",
    "core_period_balance",
    "core_period",
    "core_account_balance",
    "core_book",
)
FUNCTIONS = (
    "core_guard_account()",
    "core_open_balances()",
    "core_keep_floor()",
    "core_keep_balances()",
    "core_refuse_hands()",
    "core_open_chain()",
    "core_move_head()",
    "core_check_reversal()",
    "core_check_period()",
    "core_enter_book(text, date)",
    "core_hold_period(text, date)",
    "core_guard_period()",
    "core_guard_reopening()",
    "core_check_snapshot_added()",
    "core_check_snapshot_removed()",
    "core_refuse_rewriting()",
    "core_guard_hold()",
    "core_enter_key(text, text)",
)


def upgrade() -> None:
    _books()
    _accounts()
    _periods()
    _holds()
    op.add_column("core_entry", sa.Column("happened_on", sa.Date(), nullable=True))
    op.create_check_constraint("happened", "core_entry", "happened_on <= effective_on")
    op.execute(OLD_ACCOUNTS)
    op.execute(ACCOUNTS)
    op.execute(CHAIN)
    op.execute(PERIODS)
    op.execute(HOLDS)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
        )
    for table in NO_TRUNCATE:
        op.execute(f"CREATE TRIGGER no_truncate BEFORE TRUNCATE ON {table} EXECUTE FUNCTION core_refuse_truncate()")


def _books() -> None:
    op.create_table(
        "core_book",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_core_book")),
        sa.UniqueConstraint("code", "currency", name=op.f("uq_core_book_code_currency")),
    )
    for code, title in BOOKS:
        op.execute(f"INSERT INTO core_book (code, title, currency) VALUES ('{code}', '{title}', 'CNY')")
    # Books that an installation has posted to besides; their titles are their codes.
    op.execute(
        "INSERT INTO core_book SELECT DISTINCT book, jsonb_build_object('zh', book, 'en', book), 'CNY' FROM core_account"
        " ON CONFLICT DO NOTHING"
    )
    op.execute(
        f"INSERT INTO core_chain_head (book, digest) SELECT code, '\\x{FIRST}' FROM core_book ON CONFLICT DO NOTHING"
    )


def _accounts() -> None:
    op.execute("DROP TRIGGER append_only ON core_account")
    op.add_column("core_account", sa.Column("currency", sa.Text(), server_default="CNY", nullable=False))
    op.add_column("core_account", sa.Column("side", sa.BigInteger(), server_default="1", nullable=False))
    op.add_column("core_account", sa.Column("floor_fen", sa.BigInteger(), nullable=True))
    op.add_column("core_account", sa.Column("closed_on", sa.Date(), nullable=True))
    op.alter_column("core_account", "currency", server_default=None)
    op.alter_column("core_account", "side", server_default=None)
    op.create_check_constraint("side", "core_account", "side IN (1, -1)")
    op.create_foreign_key(
        op.f("fk_core_account_book_currency"), "core_account", "core_book", ["book", "currency"], ["code", "currency"]
    )
    op.create_table(
        "core_account_balance",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("side", sa.BigInteger(), nullable=False),
        sa.Column("floor_fen", sa.BigInteger(), nullable=True),
        sa.Column("posted_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "floor_fen IS NULL OR side * posted_fen >= floor_fen", name=op.f("ck_core_account_balance_floor")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["core_account.id"], name=op.f("fk_core_account_balance_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_core_account_balance")),
        postgresql_with={"fillfactor": 60},
    )


def _periods() -> None:
    op.create_table(
        "core_period",
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.CheckConstraint("extract(day FROM first_on) = 1", name=op.f("ck_core_period_month")),
        sa.CheckConstraint("state IN ('open', 'closing', 'closed', 'locked')", name=op.f("ck_core_period_state")),
        sa.ForeignKeyConstraint(["book"], ["core_book.code"], name=op.f("fk_core_period_book")),
        sa.PrimaryKeyConstraint("book", "first_on", name=op.f("pk_core_period")),
    )
    op.create_table(
        "core_period_balance",
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("posted_fen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["book", "first_on"],
            ["core_period.book", "core_period.first_on"],
            name=op.f("fk_core_period_balance_book_first_on"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["core_account.id"], name=op.f("fk_core_period_balance_account_id")),
        sa.PrimaryKeyConstraint("book", "first_on", "account_id", name=op.f("pk_core_period_balance")),
    )
    op.create_table(
        "core_reopening",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("book", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("asked_by", sa.BigInteger(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("agreed_by", sa.BigInteger(), nullable=True),
        sa.Column("agreed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("agreed_by <> asked_by", name=op.f("ck_core_reopening_two_persons")),
        sa.CheckConstraint("(agreed_by IS NULL) = (agreed_at IS NULL)", name=op.f("ck_core_reopening_agreed")),
        sa.ForeignKeyConstraint(
            ["book", "first_on"],
            ["core_period.book", "core_period.first_on"],
            name=op.f("fk_core_reopening_book_first_on"),
        ),
        sa.ForeignKeyConstraint(["asked_by"], ["core_user.id"], name=op.f("fk_core_reopening_asked_by")),
        sa.ForeignKeyConstraint(["agreed_by"], ["core_user.id"], name=op.f("fk_core_reopening_agreed_by")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_reopening")),
    )
    op.create_index(
        "uq_core_reopening_waiting",
        "core_reopening",
        ["book", "first_on"],
        unique=True,
        postgresql_where="agreed_by IS NULL",
    )


def _holds() -> None:
    op.create_table(
        "core_hold",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("budget_line_id", sa.BigInteger(), nullable=False),
        sa.Column("amount_fen", sa.BigInteger(), nullable=False),
        sa.Column("settled_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("held_on", sa.Date(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('open', 'settled', 'void', 'expired')", name=op.f("ck_core_hold_state")),
        sa.CheckConstraint(
            "amount_fen > 0 AND settled_fen >= 0 AND settled_fen <= amount_fen", name=op.f("ck_core_hold_amount")
        ),
        sa.CheckConstraint(
            "(state = 'settled') = (entry_id IS NOT NULL) AND (state = 'settled') = (settled_fen > 0)",
            name=op.f("ck_core_hold_settled"),
        ),
        sa.ForeignKeyConstraint(["budget_line_id"], ["core_budget_line.id"], name=op.f("fk_core_hold_budget_line_id")),
        sa.ForeignKeyConstraint(["entry_id"], ["core_entry.id"], name=op.f("fk_core_hold_entry_id")),
        sa.ForeignKeyConstraint(["user_id"], ["core_user.id"], name=op.f("fk_core_hold_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_hold")),
        sa.UniqueConstraint("scope", "key", name=op.f("uq_core_hold_scope_key")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_core_hold_entry_id")),
    )
    op.create_index("ix_core_hold_budget_line_id", "core_hold", ["budget_line_id"], unique=False)
    op.create_index("ix_core_hold_expires_at", "core_hold", ["expires_at"], postgresql_where="state = 'open'")
    op.create_table(
        "core_refusal",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("sentence", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("scope", "key", name=op.f("pk_core_refusal")),
    )


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"DROP FUNCTION {function} CASCADE")
    op.drop_constraint("fk_core_account_book_currency", "core_account", type_="foreignkey")
    for table in TABLES:
        op.drop_table(table)
    op.drop_constraint("happened", "core_entry", type_="check")
    op.drop_column("core_entry", "happened_on")
    op.drop_constraint("side", "core_account", type_="check")
    for column in ("currency", "side", "floor_fen", "closed_on"):
        op.drop_column("core_account", column)
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON core_account "
        "FOR EACH ROW EXECUTE FUNCTION core_refuse_change()"
    )
