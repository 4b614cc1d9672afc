"""A reach is asked for in the process of the connection alone, for which it was signed.

A process that PostgreSQL starts to help with a large query has another number: there the policies found no reach that
is valid, and its share of the rows was missing without a word.
"""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

FUNCTIONS = (
    "core_reach(integer)",
    "core_sees_all()",
    "core_reader()",
    "core_scope()",
    "core_from()",
    "core_to()",
    "core_above()",
)


def upgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} PARALLEL RESTRICTED")


def downgrade() -> None:
    for function in FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} PARALLEL SAFE")
