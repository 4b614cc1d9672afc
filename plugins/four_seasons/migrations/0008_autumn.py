"""autumn: applications for study aid"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = "four_seasons_application"
NOT_AHEAD = "<= (created_at AT TIME ZONE 'Asia/Shanghai')::date"
# Runs as the owner of the tables: the parent may be of a union that whoever writes the application does not see.
CHECK = """
CREATE FUNCTION four_seasons_check_application() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF NEW.parent <> ''
       AND (TG_OP = 'INSERT' AND NEW.parent_id IS NULL OR TG_OP = 'UPDATE' AND NEW.parent <> OLD.parent) THEN
        NEW.parent_id := (
            SELECT coalesce(merged_into_id, id) FROM core_person
             WHERE id_number_digest = decode(split_part(NEW.parent, ' ', 2), 'hex')
        );
        IF NEW.parent_id IS NULL THEN
            RAISE EXCEPTION 'the parent is not on file'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'four_seasons_application_parent';
        END IF;
    END IF;
    IF NEW.applied_on > (
        SELECT CAST(settings ->> 'applications_until' AS date) FROM core_program_year WHERE id = NEW.program_year_id
    ) THEN
        RAISE EXCEPTION 'an application of % comes after the closing date', NEW.applied_on
            USING ERRCODE = 'check_violation', CONSTRAINT = 'four_seasons_application_until';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION four_seasons_check_application() FROM PUBLIC;
CREATE TRIGGER checks BEFORE INSERT OR UPDATE OF program_year_id, parent, applied_on
    ON four_seasons_application FOR EACH ROW EXECUTE FUNCTION four_seasons_check_application();
"""


def check(name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{TABLE}_{name}"))


def refers(column: str, table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_{TABLE}_{column}"))


def upgrade() -> None:
    op.create_table(
        TABLE,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("parent", sa.Text(), server_default="", nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("basis", sa.Text(), server_default="difficult", nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("school", sa.Text(), nullable=False),
        sa.Column("admitted_on", sa.Date(), nullable=False),
        sa.Column("graduates_on", sa.Date(), nullable=False),
        sa.Column("other_aid", sa.Text(), server_default="none", nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("renewed", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("at_level", sa.Text(), nullable=True),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        check("basis", "basis IN ('difficult', 'on_file')"),
        check("level", "level IN ('senior', 'junior', 'bachelor')"),
        check("other_aid", "other_aid IN ('none', 'military', 'tuition_free', 'commissioned', 'aided')"),
        check("parent_id", "parent_id <> person_id"),
        check("admitted_on", f"admitted_on {NOT_AHEAD}"),
        check("graduates_on", "graduates_on > admitted_on"),
        check("applied_on", f"applied_on {NOT_AHEAD}"),
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f(f"fk_{TABLE}_org_id_org_path"),
            onupdate="CASCADE",
        ),
        refers("program_year_id", "core_program_year"),
        refers("person_id", "core_person"),
        refers("parent_id", "core_person"),
        refers("made_by", "core_user"),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{TABLE}")),
        sa.UniqueConstraint("program_year_id", "person_id", name=op.f(f"uq_{TABLE}_program_year_id_person_id")),
    )
    op.create_index(f"ix_{TABLE}_org_path", TABLE, ["program_year_id", "org_path", "id"])
    op.create_index(f"ix_{TABLE}_waiting", TABLE, ["program_year_id", "state", "at_level", "org_path"])
    for column in ("person_id", "parent_id", "state"):
        op.create_index(op.f(f"ix_{TABLE}_{column}"), TABLE, [column])
    op.execute(CHECK)


def downgrade() -> None:
    op.drop_table(TABLE)
    op.execute("DROP FUNCTION four_seasons_check_application()")
