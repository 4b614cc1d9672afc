"""What was decided about a run is sealed when it is posted: its settings, its stages and every approval.

The entries carry this digest beside that of the payments into the chain. A run that was posted before has none, and its
entries say so: theirs is the digest of the payments alone. What a run has posted stays in its parts, too.
"""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

#: As in ``core.disbursements.sealing.RECORD``.
RECORD = (
    *("program_year_id", "scheme", "item", "payees", "form", "purpose", "period", "source", "title", "org_id"),
    *("settings", "settings_version", "candidates", "paid", "excluded", "total_fen", "created_by", "submitted_by"),
    *("round", "stages", "band_fen", "notice_from", "notice_until", "follows", "digest"),
)


GUARDS = """
CREATE FUNCTION core_hold_book(of_book text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM core_book WHERE code = of_book FOR NO KEY UPDATE;
    RETURN FOUND;
END $$;
CREATE TRIGGER posted BEFORE UPDATE OR DELETE ON core_run_chunk
    FOR EACH ROW WHEN (OLD.entry_id IS NOT NULL) EXECUTE FUNCTION core_refuse_change();
"""


def upgrade() -> None:
    op.execute(GUARDS)
    op.add_column("core_run", sa.Column("digest", sa.LargeBinary(), nullable=True))
    old, new = (", ".join(f"{row}.{column}" for column in RECORD) for row in ("OLD", "NEW"))
    op.execute(
        f"CREATE TRIGGER record_stays BEFORE UPDATE ON core_run FOR EACH ROW WHEN (OLD.digest IS NOT NULL"
        f" AND ({old}) IS DISTINCT FROM ({new})) EXECUTE FUNCTION core_refuse_line_change()"
    )


def downgrade() -> None:
    """There is no way back once a run was posted: its entries seal what the column says."""
    raise NotImplementedError
