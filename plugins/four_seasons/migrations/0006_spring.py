"""spring: targets, employers, workers placed"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def create(table: str, *more: sa.Column[object] | sa.Constraint) -> None:
    """A table whose rows belong to a program year and a union."""
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        *more,
        sa.ForeignKeyConstraint(
            ["org_id", "org_path"],
            ["core_org.id", "core_org.path"],
            name=op.f(f"fk_{table}_org_id_org_path"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["program_year_id"], ["core_program_year.id"], name=op.f(f"fk_{table}_program_year_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_org_path", table, ["program_year_id", "org_path", "id"])


def created_at() -> sa.Column[object]:
    return sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False)


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def upgrade() -> None:
    create(
        "four_seasons_spring_target",
        sa.Column("employers", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("placed", sa.BigInteger(), server_default="0", nullable=False),
        check("four_seasons_spring_target", "numbers", "employers >= 0 AND placed >= 0"),
        sa.UniqueConstraint(
            "program_year_id", "org_id", name=op.f("uq_four_seasons_spring_target_program_year_id_org_id")
        ),
    )
    create(
        "four_seasons_employer",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("posts", sa.BigInteger(), nullable=False),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("offered_on", sa.Date(), nullable=False),
        created_at(),
        check("four_seasons_employer", "form", "form IN ('fair', 'live', 'models', 'visit', 'export')"),
        check("four_seasons_employer", "posts", "posts > 0"),
        sa.UniqueConstraint(
            "program_year_id", "org_id", "name", name=op.f("uq_four_seasons_employer_program_year_id_org_id_name")
        ),
    )
    create(
        "four_seasons_placement",
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("employer", sa.Text(), nullable=False),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("placed_on", sa.Date(), nullable=False),
        created_at(),
        check("four_seasons_placement", "way", "way IN ('introduced', 'trained')"),
        check("four_seasons_placement", "placed_on", "placed_on <= (created_at AT TIME ZONE 'Asia/Shanghai')::date"),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f("fk_four_seasons_placement_person_id")),
        sa.UniqueConstraint(
            "program_year_id", "person_id", name=op.f("uq_four_seasons_placement_program_year_id_person_id")
        ),
    )
    op.create_index(op.f("ix_four_seasons_placement_person_id"), "four_seasons_placement", ["person_id"])


def downgrade() -> None:
    op.drop_table("four_seasons_placement")
    op.drop_table("four_seasons_employer")
    op.drop_table("four_seasons_spring_target")
