"""A real PostgreSQL and a real Redis from their wheels, under ``instance/``, on unix sockets.

For a machine that has neither, and for tests. The servers outlive the process that started them, so that web and
worker share them; ``zhijia services stop`` ends them. Of the wheels only the programs are used: nothing of them is
imported, and an installation with servers of its own does without them.
"""

from core.embedded.postgres import DATABASE, as_application, make_role, postgres_process, start_postgres, stop_postgres
from core.embedded.redis_server import redis_process, start_redis, stop_redis

__all__ = [
    "DATABASE",
    "as_application",
    "make_role",
    "postgres_process",
    "redis_process",
    "start_postgres",
    "start_redis",
    "stop_postgres",
    "stop_redis",
]
