"""files of workers in hardship, and the members of their households"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OUTCOMES = "('deep', 'relative', 'accidental', 'none')"


def org_reference(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["org_id", "org_path"],
        ["core_org.id", "core_org.path"],
        name=op.f(f"fk_{table}_org_id_org_path"),
        onupdate="CASCADE",
    )


def upgrade() -> None:
    create_files()
    create_members()


def create_files() -> None:
    table = "hardship_aid_file"

    def check(name: str, condition: str) -> sa.CheckConstraint:
        return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))

    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("household_size", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("head_name", sa.Text(), server_default="", nullable=False),
        sa.Column("income_fen", sa.BigInteger(), nullable=False),
        sa.Column("rigid_fen", sa.BigInteger(), nullable=False),
        sa.Column("loss_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("cause_note", sa.Text(), server_default="", nullable=False),
        sa.Column("barrier", sa.Text(), server_default="none", nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("checked_on", sa.Date(), nullable=True),
        sa.Column("computed", sa.Text(), nullable=True),
        sa.Column("computed_year", sa.BigInteger(), nullable=True),
        sa.Column("line_fen", sa.BigInteger(), nullable=True),
        sa.Column("decided", sa.Text(), nullable=True),
        sa.Column("decided_because", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("state", sa.Text(), server_default="draft", nullable=False),
        sa.Column("state_since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("at_level", sa.Text(), nullable=True),
        sa.Column("made_by", sa.BigInteger(), nullable=True),
        check("worker", "worker IN ('employed', 'laid_off', 'jobless', 'retired', 'migrant', 'new_form')"),
        check(
            "head",
            "head IN ('self', 'spouse', 'child', 'parent', 'sibling', 'other') AND (head = 'self') = (head_name = '')",
        ),
        check("household_size", "household_size BETWEEN 1 AND 30"),
        check("amounts", "income_fen >= 0 AND rigid_fen >= 0 AND loss_fen >= 0"),
        check(
            "cause",
            "cause IN ('illness', 'disability', 'schooling', 'low_income', 'no_job', 'disaster', 'accident', 'other')",
        ),
        check("barrier", "barrier IN ('none', 'homes', 'business', 'school')"),
        check("computed", f"computed IN {OUTCOMES}"),
        check("computed_year", "num_nonnulls(computed, computed_year, line_fen) IN (0, 3)"),
        check("decided", f"decided IS NULL OR decided IN {OUTCOMES} AND decided_because <> ''"),
        org_reference(table),
        sa.ForeignKeyConstraint(["sponsor_id"], ["core_org.id"], name=op.f(f"fk_{table}_sponsor_id")),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"], name=op.f(f"fk_{table}_person_id")),
        sa.ForeignKeyConstraint(["made_by"], ["core_user.id"], name=op.f(f"fk_{table}_made_by")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("person_id", name=op.f(f"uq_{table}_person_id")),
    )
    op.create_index(f"ix_{table}_org_path", table, ["sponsor_id", "org_path", "id"])
    op.create_index(f"ix_{table}_waiting", table, ["sponsor_id", "state", "at_level", "org_path"])
    op.create_index(op.f(f"ix_{table}_state"), table, ["state"])


def create_members() -> None:
    table = "hardship_aid_member"
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("relation", sa.Text(), nullable=False),
        sa.Column("born_on", sa.Date(), nullable=False),
        sa.Column("health", sa.Text(), server_default="healthy", nullable=False),
        sa.Column("school", sa.Text(), server_default="", nullable=False),
        sa.Column("income_fen", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "relation IN ('spouse', 'child', 'parent', 'sibling', 'other')", name=op.f(f"ck_{table}_relation")
        ),
        sa.CheckConstraint("health IN ('healthy', 'ill', 'disabled')", name=op.f(f"ck_{table}_health")),
        sa.CheckConstraint("income_fen >= 0", name=op.f(f"ck_{table}_income")),
        org_reference(table),
        sa.ForeignKeyConstraint(["sponsor_id"], ["core_org.id"], name=op.f(f"fk_{table}_sponsor_id")),
        sa.ForeignKeyConstraint(["person_id"], ["hardship_aid_file.person_id"], name=op.f(f"fk_{table}_person_id")),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(f"ix_{table}_org_path", table, ["sponsor_id", "org_path", "id"])
    op.create_index(f"ix_{table}_name", table, ["person_id", "name", "born_on"], unique=True)


def downgrade() -> None:
    op.drop_table("hardship_aid_member")
    op.drop_table("hardship_aid_file")
