"""corners, readers, loans"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "reading_club_corner",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("volumes", sa.BigInteger(), nullable=False),
        sa.Column("cost_fen", sa.BigInteger(), nullable=True),
        sa.Column("opened_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(["org_id", "org_path"], ["core_org.id", "core_org.path"], onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["program_year_id"], ["core_program_year.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint(
            "program_year_id", "org_id", "name", name="uq_reading_club_corner_program_year_id_org_id_name"
        ),
    )
    op.create_table(
        "reading_club_reader",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("sponsor_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        sa.Column("likes", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["org_id", "org_path"], ["core_org.id", "core_org.path"], onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["sponsor_id"], ["core_org.id"]),
        sa.ForeignKeyConstraint(["person_id"], ["core_person.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("sponsor_id", "person_id", name="uq_reading_club_reader_sponsor_id_person_id"),
    )
    op.create_table(
        "reading_club_loan",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("reader_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["reader_id"], ["reading_club_reader.id"]),
        sa.PrimaryKeyConstraint("id"),
    )


def downgrade() -> None:
    for table in ("reading_club_loan", "reading_club_reader", "reading_club_corner"):
        op.drop_table(table)
