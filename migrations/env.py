"""One Alembic environment for the core and every plugin; ``config.attributes["owner"]`` says whose tables move."""

from alembic import context
from sqlalchemy.engine import Connection

from core.plugin.migrate import context_options

owner: str = context.config.attributes["owner"]
connection: Connection = context.config.attributes["connection"]

context.configure(connection=connection, **context_options(owner))
with context.begin_transaction():
    context.run_migrations()
