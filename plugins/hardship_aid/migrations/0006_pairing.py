"""pairs of leaders and workers, and the visits that come of them"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

NOT_AHEAD = "<= (created_at AT TIME ZONE 'Asia/Shanghai')::date"
# Runs as the owner of the tables: the pair may be of a union that whoever writes the visit does not see. Asked at the
# end of the statement: a file that takes another person takes pairs and visits along, one table after the other.
VISITS = """
CREATE FUNCTION hardship_aid_check_visit() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    IF extract(year FROM NEW.visited_on) <> (SELECT year FROM core_program_year WHERE id = NEW.program_year_id) THEN
        RAISE EXCEPTION 'a visit on % does not lie in the program year', NEW.visited_on
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hardship_aid_pair_visit_year';
    END IF;
    IF NOT EXISTS (
        SELECT FROM hardship_aid_pair pair
         WHERE pair.person_id = NEW.person_id AND pair.leader = NEW.leader AND pair.paired_on <= NEW.visited_on
           AND (pair.ended_on IS NULL OR pair.ended_on >= NEW.visited_on)
    ) THEN
        RAISE EXCEPTION 'no pair of the worker stands on %', NEW.visited_on
            USING ERRCODE = 'check_violation', CONSTRAINT = 'hardship_aid_pair_visit_pair';
    END IF;
    RETURN NULL;
END $$;
REVOKE EXECUTE ON FUNCTION hardship_aid_check_visit() FROM PUBLIC;
CREATE TRIGGER keeps_to_pair AFTER INSERT OR UPDATE OF program_year_id, person_id, leader, visited_on
    ON hardship_aid_pair_visit FOR EACH ROW EXECUTE FUNCTION hardship_aid_check_visit();
"""


def columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("leader", sa.Text(), nullable=False),
    ]


def references(table: str) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f(f"fk_{table}_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["hardship_aid_file.person_id"], name=op.f(f"fk_{table}_person_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    create_pairs()
    create_visits()


def create_pairs() -> None:
    table = "hardship_aid_pair"

    def check(name: str, condition: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))

    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger(), nullable=False),
        *columns(),
        sa.Column("post", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("rank", sa.Text(), nullable=False),
        sa.Column("paired_on", sa.Date(), nullable=False),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        check("rank", "rank IN ('department', 'division', 'section', 'enterprise')"),
        check("leader", "leader <> '' AND post <> '' AND unit <> ''"),
        check("paired_on", f"paired_on {NOT_AHEAD}"),
        check("ended_on", "ended_on >= paired_on"),
        *references(table),
        sa.ForeignKeyConstraint(["sponsor_id"], ["core_org.id"], name=op.f(f"fk_{table}_sponsor_id")),
        sa.UniqueConstraint("person_id", "leader", "post", "unit", name=op.f(f"uq_{table}_person_id_leader_post_unit")),
    )
    op.create_index(f"ix_{table}_org_path", table, ["sponsor_id", "org_path", "id"])


def create_visits() -> None:
    table = "hardship_aid_pair_visit"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        *columns(),
        sa.Column("visited_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("gift_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(f"visited_on {NOT_AHEAD}", name=op.f(f"ck_{table}_visited_on")),
        sa.CheckConstraint("gift_fen >= 0", name=op.f(f"ck_{table}_gift")),
        *references(table),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f(f"fk_{table}_program_year_id")
        ),
        sa.UniqueConstraint("person_id", "leader", "visited_on", name=op.f(f"uq_{table}_person_id_leader_visited_on")),
    )
    op.create_index(f"ix_{table}_org_path", table, ["program_year_id", "org_path", "id"])
    op.create_index(f"ix_{table}_person_id", table, ["program_year_id", "person_id", "leader"])
    op.execute(VISITS)


def downgrade() -> None:
    op.drop_table("hardship_aid_pair_visit")
    op.execute("DROP FUNCTION hardship_aid_check_visit()")
    op.drop_table("hardship_aid_pair")
