"""Approval in stages: the rules of a year, the stages pinned in a run, and a database that counts them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

CHECK_RUN = """
CREATE OR REPLACE FUNCTION core_check_run() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state IN ('posted', 'sent') AND (
        NEW.state NOT IN ('posted', 'sent')
        OR (NEW.candidates, NEW.paid, NEW.excluded, NEW.total_fen, NEW.settings, NEW.program_year_id, NEW.item)
           IS DISTINCT FROM
           (OLD.candidates, OLD.paid, OLD.excluded, OLD.total_fen, OLD.settings, OLD.program_year_id, OLD.item)
    ) THEN
        RAISE EXCEPTION 'run % is posted', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
    {pinned}
    IF NEW.state IN ('approved', 'posted', 'sent') AND OLD.state NOT IN ('approved', 'posted', 'sent') AND {lacks} THEN
        RAISE EXCEPTION 'run % lacks approvals', NEW.id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$
"""
#: From submitting on, what was pinned stays until the run is opened again; what is sent again is decided anew.
PINNED = """
    IF OLD.state IN ('submitted', 'approved', 'posted', 'sent')
       AND NEW.state IN ('submitted', 'approved', 'posted', 'sent')
       AND (NEW.stages, NEW.round, NEW.band_fen, NEW.created_by, NEW.submitted_by)
           IS DISTINCT FROM (OLD.stages, OLD.round, OLD.band_fen, OLD.created_by, OLD.submitted_by)
       OR NEW.state = 'submitted' AND OLD.state <> 'submitted' AND NEW.round <= OLD.round
    THEN
        RAISE EXCEPTION 'the approval of run % is pinned', OLD.id USING ERRCODE = 'restrict_violation';
    END IF;
"""
#: A stage has fewer approvals than it needs; where all are asked, only they could give one.
LACKS = """(
        OLD.state <> 'submitted' OR NEW.stages = '[]' OR EXISTS (
            SELECT FROM jsonb_array_elements(NEW.stages) WITH ORDINALITY AS asked(stage, place)
             WHERE (
                SELECT count(*) FILTER (WHERE approved) FROM core_run_approval
                 WHERE run_id = NEW.id AND round = NEW.round AND core_run_approval.stage = asked.place
             ) < greatest(1, (asked.stage ->> 'n')::bigint)
        )
    )"""
#: As it was before stages.
LACKS_BEFORE = """(
        SELECT count(*) FILTER (WHERE approved) FROM core_run_approval
         WHERE run_id = NEW.id AND round = NEW.round
    ) < coalesce(NEW.approvals_needed, 1)"""
CHECK_APPROVAL = """
CREATE OR REPLACE FUNCTION core_check_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM core_run WHERE id = NEW.run_id AND NEW.user_id IN (created_by, submitted_by)
    ) THEN
        RAISE EXCEPTION 'nobody approves their own work' USING ERRCODE = 'restrict_violation';
    END IF;
    {waits}
    RETURN NEW;
END $$
"""
WAITS = """
    IF NOT EXISTS (
        SELECT FROM core_run
         WHERE id = NEW.run_id AND state = 'submitted' AND round = NEW.round AND stage = NEW.stage
           AND (stages -> (stage - 1)::int ->> 'policy' <> 'all'
                OR stages -> (stage - 1)::int -> 'deciders' @> to_jsonb(NEW.user_id))
    ) THEN
        RAISE EXCEPTION 'run % does not wait for this decision', NEW.run_id USING ERRCODE = 'restrict_violation';
    END IF;
"""


def upgrade() -> None:
    op.create_table(
        "core_approval_rule",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("program", sa.Text(), nullable=True),
        sa.Column("from_fen", sa.BigInteger(), nullable=False),
        sa.Column("stages", postgresql.JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("from_fen >= 0", name=op.f("ck_core_approval_rule_band")),
        sa.CheckConstraint(
            "jsonb_typeof(stages) = 'array' AND stages <> '[]'", name=op.f("ck_core_approval_rule_stages")
        ),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f("fk_core_approval_rule_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_core_approval_rule")),
        sa.UniqueConstraint(
            "year",
            "org_id",
            "program",
            "from_fen",
            name=op.f("uq_core_approval_rule_year_org_id_program_from_fen"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.add_column("core_run_approval", sa.Column("stage", sa.BigInteger(), server_default="1", nullable=False))
    op.alter_column("core_run_approval", "stage", server_default=None)
    op.add_column("core_run", sa.Column("stages", postgresql.JSONB(), server_default="[]", nullable=False))
    op.add_column("core_run", sa.Column("stage", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("core_run", sa.Column("band_fen", sa.BigInteger(), nullable=True))
    op.execute(
        """UPDATE core_run SET stage = 1, stages = jsonb_build_array(jsonb_build_object(
               'title', '', 'level', 'run', 'policy', 'n', 'n', approvals_needed
           )) WHERE approvals_needed IS NOT NULL"""
    )
    op.execute(CHECK_RUN.format(pinned=PINNED, lacks=LACKS))
    op.execute(CHECK_APPROVAL.format(waits=WAITS))
    op.drop_column("core_run", "approvals_needed")


def downgrade() -> None:
    op.add_column("core_run", sa.Column("approvals_needed", sa.BigInteger(), nullable=True))
    op.execute(CHECK_RUN.format(pinned="", lacks=LACKS_BEFORE))
    op.execute(CHECK_APPROVAL.format(waits=""))
    op.execute(
        """UPDATE core_run SET approvals_needed = (
               SELECT sum((stage ->> 'n')::bigint) FROM jsonb_array_elements(stages) AS asked(stage)
           )"""
    )
    for column in ("band_fen", "stage", "stages"):
        op.drop_column("core_run", column)
    op.drop_column("core_run_approval", "stage")
    op.drop_table("core_approval_rule")
