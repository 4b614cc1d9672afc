"""Money has a source that it keeps: on budget lines, allotments and runs. What was allotted can be taken back."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

TABLES = ("core_budget_line", "core_allotment", "core_run")
CHECKED = ("core_budget_line", "core_run")
SOURCES = "source IN ('finance', 'union', 'society', 'dues')"
LINE = ["program_year_id", "org_id", "source"]

CHECK_TAKEN_BACK = """
CREATE FUNCTION core_check_taken_back() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given core_allotment;
    taken numeric;
BEGIN
    SELECT * INTO given FROM core_allotment WHERE id = NEW.takes_back FOR UPDATE;
    IF given.takes_back IS NOT NULL
       OR (NEW.program_year_id, NEW.org_id, NEW.from_org_id, NEW.source)
          IS DISTINCT FROM (given.program_year_id, given.org_id, given.from_org_id, given.source) THEN
        RAISE EXCEPTION 'allotment % cannot be taken back like this', NEW.takes_back USING ERRCODE = 'check_violation';
    END IF;
    SELECT coalesce(sum(amount_fen), 0) INTO taken FROM core_allotment WHERE takes_back = NEW.takes_back;
    IF taken + NEW.amount_fen > given.amount_fen THEN
        RAISE EXCEPTION 'more is taken back of allotment % than was given', NEW.takes_back
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER within_given BEFORE INSERT ON core_allotment
    FOR EACH ROW WHEN (NEW.takes_back IS NOT NULL) EXECUTE FUNCTION core_check_taken_back();
CREATE TRIGGER source_stays BEFORE UPDATE OF source ON core_run
    FOR EACH ROW WHEN (OLD.source <> NEW.source) EXECUTE FUNCTION core_refuse_line_change();
"""


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("source", sa.Text(), server_default="union", nullable=False))
    for table in CHECKED:
        op.create_check_constraint(op.f(f"ck_{table}_source"), table, SOURCES)
    op.drop_constraint("uq_core_budget_line_program_year_id_org_id", "core_budget_line", type_="unique")
    op.create_unique_constraint(op.f("uq_core_budget_line_program_year_id_org_id_source"), "core_budget_line", LINE)
    for org_id in ("org_id", "from_org_id"):
        name = op.f(f"fk_core_allotment_program_year_id_{org_id}_source")
        columns = ["program_year_id", org_id, "source"]
        op.create_foreign_key(name, "core_allotment", "core_budget_line", columns, LINE)
    op.add_column("core_allotment", sa.Column("takes_back", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_core_allotment_takes_back"), "core_allotment", "core_allotment", ["takes_back"], ["id"]
    )
    op.create_index(
        "ix_core_allotment_takes_back",
        "core_allotment",
        ["takes_back"],
        postgresql_where=sa.text("takes_back IS NOT NULL"),
    )
    op.execute(CHECK_TAKEN_BACK)


def downgrade() -> None:
    op.execute("DROP TRIGGER source_stays ON core_run")
    op.execute("DROP FUNCTION core_check_taken_back() CASCADE")
    op.drop_column("core_allotment", "takes_back")
    for org_id in ("org_id", "from_org_id"):
        op.drop_constraint(f"fk_core_allotment_program_year_id_{org_id}_source", "core_allotment", type_="foreignkey")
    op.drop_constraint("uq_core_budget_line_program_year_id_org_id_source", "core_budget_line", type_="unique")
    for table in TABLES:
        op.drop_column(table, "source")
    op.create_unique_constraint(
        op.f("uq_core_budget_line_program_year_id_org_id"), "core_budget_line", ["program_year_id", "org_id"]
    )
