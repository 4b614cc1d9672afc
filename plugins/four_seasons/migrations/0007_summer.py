"""summer: posts, the plan of visits, goods in stock; leaders; visits that bring from stock"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

VISIT, LOT = "four_seasons_visit", "four_seasons_lot"
TODAY = "(created_at AT TIME ZONE 'Asia/Shanghai')::date"
STOCK = (
    "(lot_id IS NULL) = (quantity IS NULL) AND (lot_id IS NULL) = (key IS NULL)"
    " AND (quantity IS NULL OR quantity > 0 AND kind = 'goods')"
)
UNDONE = (
    "(reversal_id IS NULL OR lot_id IS NULL)"
    " AND (lot_id IS NOT NULL OR (reversal_id IS NULL) = (undone_on IS NULL))"
)  # fmt: skip
CHECKS = {
    "post": "post_id IS NULL OR unit <> ''",
    "visited_on": f"visited_on <= {TODAY}",
    "paid": "(entry_id IS NULL) <> (lot_id IS NULL)",
    "stock": STOCK,
    "undone": UNDONE,
}
NEW = ("post_id", "leader_id", "lot_id")


def create(table: str, *more: sa.Column[object] | sa.Constraint) -> None:
    """A table whose rows belong to a program year and a union."""
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("program_year_id", sa.BigInteger(), nullable=False),
        sa.Column("org_id", sa.BigInteger(), nullable=False),
        sa.Column("org_path", sa.Text(collation="C"), nullable=False),
        *more,
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
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


def words(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def numbers(*names: str) -> list[sa.Column[object]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def check(table: str, name: str, condition: str) -> sa.CheckConstraint:
    return sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}"))


def unique(table: str, *columns: str) -> sa.UniqueConstraint:
    return sa.UniqueConstraint(*columns, name=op.f(f"uq_{table}_{'_'.join(columns)}"))


def foreign(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))


def upgrade() -> None:
    create_posts()
    create_plans()
    create_leaders()
    create_lots()
    extend_visits()


def create_posts() -> None:
    table = "four_seasons_post"
    create(
        table,
        *words("unit", "post"),
        *numbers("workers", "temperature"),
        sa.Column("measured_on", sa.Date(), nullable=False),
        sa.Column("visits", sa.BigInteger(), server_default="0", nullable=False),
        check(table, "named", "unit <> '' AND post <> ''"),
        check(table, "workers", "workers > 0"),
        check(table, "temperature", "temperature BETWEEN 0 AND 80"),
        check(table, "visits", "visits >= 0"),
        unique(table, "program_year_id", "org_id", "unit", "post"),
    )


def create_plans() -> None:
    table = "four_seasons_visit_plan"
    create(
        table,
        *words("unit"),
        sa.Column("post", sa.Text(), server_default="", nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=False),
        *numbers("amount_fen"),
        *words("source"),
        check(table, "unit", "unit <> ''"),
        check(table, "amount", "amount_fen > 0"),
        unique(table, "program_year_id", "org_id", "unit", "post", "planned_on"),
    )


def create_leaders() -> None:
    table = "four_seasons_leader"
    create(
        table,
        *words("name", "position"),
        check(table, "named", "name <> '' AND position <> ''"),
        unique(table, "program_year_id", "org_id", "name", "position"),
    )


def create_lots() -> None:
    create(
        LOT,
        *words("goods", "measure"),
        *numbers("quantity", "price_fen", "remaining"),
        *words("source"),
        sa.Column("supplier", sa.Text(), server_default="", nullable=False),
        sa.Column("bought_on", sa.Date(), nullable=False),
        *numbers("entry_id", "activity_id"),
        sa.Column("reversal_id", sa.BigInteger(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), nullable=True),
        check(LOT, "named", "goods <> '' AND measure <> ''"),
        check(LOT, "bought", "quantity > 0 AND price_fen > 0"),
        check(LOT, "remaining", "remaining BETWEEN 0 AND quantity"),
        check(LOT, "reversed", "reversal_id IS NULL OR remaining = quantity"),
        check(LOT, "bought_on", f"bought_on <= {TODAY}"),
        foreign(LOT, "entry_id", "core_entry"),
        foreign(LOT, "reversal_id", "core_entry"),
        foreign(LOT, "user_id", "core_user"),
        unique(LOT, "entry_id"),
        unique(LOT, "reversal_id"),
        unique(LOT, "id", "program_year_id", "org_id"),
    )


def extend_visits() -> None:
    for name in (*NEW, "quantity"):
        op.add_column(VISIT, sa.Column(name, sa.BigInteger(), nullable=True))
    op.add_column(VISIT, sa.Column("key", sa.Text(), nullable=True))
    op.add_column(VISIT, sa.Column("undone_on", sa.Date(), nullable=True))
    op.alter_column(VISIT, "entry_id", nullable=True)
    op.execute(
        f"UPDATE {VISIT} SET undone_on = effective_on FROM core_entry WHERE core_entry.id = reversal_id"  # noqa: S608  # the names above, nothing from outside
    )
    for name, condition in CHECKS.items():
        op.create_check_constraint(op.f(f"ck_{VISIT}_{name}"), VISIT, condition)
    op.create_foreign_key(op.f(f"fk_{VISIT}_post_id"), VISIT, "four_seasons_post", ["post_id"], ["id"])
    op.create_foreign_key(op.f(f"fk_{VISIT}_leader_id"), VISIT, "four_seasons_leader", ["leader_id"], ["id"])
    place = ["program_year_id", "org_id"]
    op.create_foreign_key(
        op.f(f"fk_{VISIT}_lot_id_program_year_id_org_id"), VISIT, LOT, ["lot_id", *place], ["id", *place]
    )
    op.create_unique_constraint(op.f(f"uq_{VISIT}_program_year_id_key"), VISIT, ["program_year_id", "key"])
    for name in NEW:
        op.create_index(f"ix_{VISIT}_{name}", VISIT, [name], postgresql_where=sa.text(f"{name} IS NOT NULL"))


def downgrade() -> None:
    """Visits that brought from stock have no entry, and go with their lots."""
    op.execute(f"DELETE FROM {VISIT} WHERE lot_id IS NOT NULL")  # noqa: S608  # the names above, nothing from outside
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_{VISIT}_{name}"), VISIT)
    op.alter_column(VISIT, "entry_id", nullable=False)
    for name in (*NEW, "quantity", "key", "undone_on"):
        op.drop_column(VISIT, name)
    for table in (LOT, "four_seasons_leader", "four_seasons_visit_plan", "four_seasons_post"):
        op.drop_table(table)
