"""One Alembic environment for the core and every plugin; ``config.attributes["owner"]`` says whose tables move."""

from alembic import context
from sqlalchemy.engine import Connection

from core.database import metadata

owner: str = context.config.attributes["owner"]
connection: Connection = context.config.attributes["connection"]


def include_name(name: str | None, kind: str, _parents: object) -> bool:
    """Only the owner's tables: the others are somebody else's, and must be left alone."""
    return kind != "table" or (name or "").startswith(f"{owner}_")


context.configure(
    connection=connection,
    target_metadata=metadata,
    version_table=f"{owner}_alembic",
    include_name=include_name,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
