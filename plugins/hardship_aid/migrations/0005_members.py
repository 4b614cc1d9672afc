"""members of households are found by their name and day of birth, and follow the file to another person"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def refer_to_file(onupdate: str | None) -> None:
    name = op.f("fk_hardship_aid_member_person_id")
    op.drop_constraint(name, "hardship_aid_member")
    op.create_foreign_key(
        name, "hardship_aid_member", "hardship_aid_file", ["person_id"], ["person_id"], onupdate=onupdate
    )


def upgrade() -> None:
    op.create_index("ix_hardship_aid_member_born_on", "hardship_aid_member", ["born_on", "name"])
    refer_to_file(onupdate="CASCADE")


def downgrade() -> None:
    refer_to_file(onupdate=None)
    op.drop_index("ix_hardship_aid_member_born_on", table_name="hardship_aid_member")
