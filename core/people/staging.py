"""The temporary table that people go through on their way into the database."""

from sqlalchemy import BigInteger, Column, Connection, Date, LargeBinary, MetaData, Table, Text

staged = Table(
    "staged_person",
    MetaData(),  # its own: no table of the migrations
    Column("line", BigInteger),
    Column("org_code", Text),
    Column("name", Text),
    Column("pinyin", Text),
    Column("initials", Text),
    Column("gender", Text),
    Column("born_on", Date),
    Column("id_number", LargeBinary),
    Column("id_number_digest", LargeBinary),
    Column("id_number_tail", Text),
    Column("phone", LargeBinary),
    Column("phone_digest", LargeBinary),
    Column("phone_tail", Text),
    Column("bank_account", LargeBinary),
    Column("bank_account_digest", LargeBinary),
    Column("bank_account_tail", Text),
    Column("bank_name", Text),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
COLUMNS = tuple(column.name for column in staged.columns)
#: Those that go over into ``core_person`` as they are.
KEPT = COLUMNS[2:]


def renew(connection: Connection) -> None:
    """An empty staging table in this transaction."""
    staged.drop(connection, checkfirst=True)
    staged.create(connection, checkfirst=False)
