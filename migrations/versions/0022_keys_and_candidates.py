"""What a posting asks first also tells whether its key was posted; the candidates of a run need not outlive a crash.

Candidates are asked for again when they are gone, so that writing a million of them down costs no log.
"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ENTER_KEY = """
CREATE FUNCTION core_enter_key(
    of_scope text, of_key text, OUT digest bytea, OUT sentence text, OUT is_posted boolean
) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(of_scope || chr(31) || of_key, 5));
    SELECT refusal.digest, refusal.sentence INTO digest, sentence
      FROM core_refusal refusal WHERE refusal.scope = of_scope AND refusal.key = of_key;
    is_posted := EXISTS (SELECT FROM core_entry entry WHERE entry.scope = of_scope AND entry.key = of_key);
END $$;
"""
# As in 0017.
FORMER_ENTER_KEY = """
CREATE FUNCTION core_enter_key(of_scope text, of_key text, OUT digest bytea, OUT sentence text)
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended(of_scope || chr(31) || of_key, 5));
    SELECT refusal.digest, refusal.sentence INTO digest, sentence
      FROM core_refusal refusal WHERE refusal.scope = of_scope AND refusal.key = of_key;
END $$;
"""


def upgrade() -> None:
    op.execute("DROP FUNCTION core_enter_key(text, text)")
    op.execute(ENTER_KEY)
    op.execute("ALTER TABLE core_run_candidate SET UNLOGGED")


def downgrade() -> None:
    op.execute("ALTER TABLE core_run_candidate SET LOGGED")
    op.execute("DROP FUNCTION core_enter_key(text, text)")
    op.execute(FORMER_ENTER_KEY)
