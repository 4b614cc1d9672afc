"""Two public pages for whoever watches over the machines; they say nothing that is not anybody's business.

``/health``: this process answers. ``/ready``: pages can be made, as the database is there and its tables are up to
date; beside it whether Redis answers and a worker's clock has been seen lately, without which jobs only wait.
"""

import time
from threading import Lock

from flask import Blueprint, Flask, current_app, jsonify
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from core.extensions import db
from core.jobs.messages import clock_seen, redis_of
from core.plugin.tables import table_states
from core.web.guard import public

#: Seconds for which an answer is given again, however many ask.
KEPT = 5.0
EXTENSION = "zhijia_ready"
blueprint = Blueprint("ready", __name__)


class _Kept:
    """The last answer, and when it was found out."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.at = -KEPT
        self.state: dict[str, bool] = {}


@blueprint.get("/health")
@public
def health() -> Response:
    """This process answers; nothing else is asked."""
    return jsonify(ok=True)


@blueprint.get("/ready")
@public
def ready() -> tuple[Response, int]:
    """What pages and jobs need, each true or false; 503 where no page can be made."""
    kept: _Kept = current_app.extensions[EXTENSION]
    with kept.lock:
        if time.monotonic() - kept.at >= KEPT:
            kept.state, kept.at = _state(), time.monotonic()
        state = kept.state
    return jsonify(state), 200 if state["database"] and state["tables"] else 503


def _state() -> dict[str, bool]:
    database, tables = _database()
    redis, clock = _redis()
    return {"database": database, "tables": tables, "redis": redis, "clock": clock}


def _database() -> tuple[bool, bool]:
    """Whether it answers, and whether no owner's tables are behind its program."""
    try:
        return True, not any(state.behind for state in table_states().values())
    except SQLAlchemyError:
        return False, False
    finally:
        db.session.rollback()


def _redis() -> tuple[bool, bool]:
    """Whether it answers, and whether a clock has left its sign there."""
    try:
        redis_of().ping()
        return True, clock_seen()
    except RedisError:
        return False, False


def init_app(app: Flask) -> None:
    """Mount the pages."""
    app.extensions[EXTENSION] = _Kept()
    app.register_blueprint(blueprint)
